package sshconn

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sync"

	"github.com/pkg/sftp"

	"github.com/torrust/runner/internal/conn"
)

// errNoSFTP says that the host has no SFTP: files go through commands then.
var errNoSFTP = errors.New("the host has no SFTP")

// sftpClient is opened when it is first needed, once for a connection.
type sftpClient struct {
	mu     sync.Mutex
	client *sftp.Client
	none   bool
}

func (s *sftpClient) open(ctx context.Context, c *client) (*sftp.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.none:
		return nil, errNoSFTP
	case s.client != nil:
		return s.client, nil
	}
	if err := c.slot(ctx); err != nil { // kept for as long as the connection lives
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.ssh.Close() }) // a host that does not answer
	client, err := sftp.NewClient(c.ssh, sftp.UseConcurrentReads(true), sftp.UseConcurrentWrites(true), sftp.MaxConcurrentRequestsPerFile(64))
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		<-c.slots
		if _, _, alive := c.ssh.SendRequest("keepalive@openssh.com", true, nil); alive != nil {
			return nil, fmt.Errorf("open SFTP: %w (%w)", conn.ErrLost, alive)
		}
		s.none = true
		return nil, errNoSFTP
	}
	s.client = client
	return client, nil
}

func (s *sftpClient) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		_ = s.client.Close() // the connection goes next
	}
}

// fail gives an error of a transfer its meaning.
func fail(ctx context.Context, op, file string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	for _, known := range []error{fs.ErrNotExist, fs.ErrPermission} {
		if errors.Is(err, known) {
			return &fs.PathError{Op: op, Path: file, Err: known}
		}
	}
	if errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
		return fmt.Errorf("%s %s: %w (%w)", op, file, conn.ErrLost, err)
	}
	return fmt.Errorf("%s %s: %w", op, file, err)
}

func (s *sftpClient) stat(ctx context.Context, c *client, file string) (fs.FileInfo, error) {
	client, err := s.open(ctx, c)
	if err != nil {
		return nil, err
	}
	info, err := client.Lstat(file)
	if err != nil {
		return nil, fail(ctx, "stat", file, err)
	}
	return info, nil
}

func (s *sftpClient) get(ctx context.Context, c *client, file string, w io.Writer) (fs.FileInfo, error) {
	client, err := s.open(ctx, c)
	if err != nil {
		return nil, err
	}
	f, err := client.Open(file)
	if err != nil {
		return nil, fail(ctx, "get", file, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fail(ctx, "get", file, err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("get %s: it is a directory", file)
	}
	if _, err := f.WriteTo(whileAlive{ctx, w}); err != nil {
		return nil, fail(ctx, "get", file, err)
	}
	return info, nil
}

// whileAlive ends a transfer when ctx does.
type whileAlive struct {
	ctx context.Context
	w   io.Writer
}

func (a whileAlive) Write(p []byte) (int, error) {
	if cause := context.Cause(a.ctx); cause != nil {
		return 0, cause
	}
	return a.w.Write(p)
}

func (s *sftpClient) put(ctx context.Context, c *client, file string, r io.Reader, mode fs.FileMode) (err error) {
	client, err := s.open(ctx, c)
	if err != nil {
		return err
	}
	if st, err := client.Stat(file); err == nil && st.IsDir() {
		return fmt.Errorf("put %s: it is a directory", file)
	}
	temp := path.Join(path.Dir(file), ".runner-"+rand.Text()[:8]+"-"+path.Base(file))
	f, err := client.Create(temp)
	if err != nil {
		return fail(ctx, "put", file, err)
	}
	defer func() {
		if err != nil {
			_ = client.Remove(temp) // the link may be gone; the name tells whose it is
		}
	}()
	if err := client.Chmod(temp, mode); err != nil {
		return errors.Join(fail(ctx, "put", file, err), f.Close())
	}
	source := &sourceOf{ctx: ctx, r: r}
	_, err = f.ReadFrom(source)
	if err = errors.Join(err, f.Close()); err != nil {
		if source.err != nil {
			return fmt.Errorf("put %s: %w", file, source.err)
		}
		return fail(ctx, "put", file, err)
	}
	if err := client.PosixRename(temp, file); err != nil {
		return fail(ctx, "put", file, err)
	}
	return nil
}

// sourceOf keeps apart a source that fails from a link that does.
type sourceOf struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *sourceOf) Read(p []byte) (int, error) {
	if cause := context.Cause(s.ctx); cause != nil {
		s.err = cause
		return 0, cause
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
