package sshconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/conn/shell"
)

// sessions is how many channels we open on one connection at a time. sshd's
// MaxSessions is 10 by default.
const sessions = 8

// Conn is one connection, as one user.
type Conn struct {
	*client
	become conn.Become
}

var _ conn.Conn = (*Conn)(nil)

// client is the connection that all its views share.
type client struct {
	ssh     *ssh.Client
	release func()
	peer    conn.Peer
	slots   chan struct{}
	sftp    sftpClient

	closing sync.Once
	watched sync.WaitGroup
}

func newConn(c *ssh.Client, release func(), s *settings, peer conn.Peer) *Conn {
	shared := &client{ssh: c, release: release, peer: peer, slots: make(chan struct{}, sessions)}
	shared.watched.Go(func() { keepAlive(c, s) })
	return &Conn{client: shared}
}

// Run implements conn.Conn.
func (c *Conn) Run(ctx context.Context, cmd conn.Cmd) error {
	return shell.Run(ctx, c.client, cmd, c.become)
}

// As implements conn.Conn.
func (c *Conn) As(b conn.Become) conn.Conn { return &view{Conn{c.client, b}} }

// view is a Conn as another user: closing it does nothing.
type view struct{ Conn }

// Close implements conn.Conn.
func (*view) Close() error { return nil }

// Peer implements conn.Conn.
func (c *Conn) Peer() conn.Peer { return c.peer }

// Close implements conn.Conn.
func (c *Conn) Close() error {
	var err error
	c.closing.Do(func() {
		c.sftp.close()
		err = ignoreGone(c.ssh.Close())
		c.watched.Wait()
		c.release()
	})
	return err
}

func (c *Conn) files() shell.Files { return shell.Files{Run: c.Run} }

// plain tells whether files can go over SFTP: it knows only the login user.
func (c *Conn) plain() bool { return c.become == conn.Become{} }

// Get implements conn.Conn.
func (c *Conn) Get(ctx context.Context, path string, w io.Writer) (fs.FileInfo, error) {
	if c.plain() {
		info, err := c.sftp.get(ctx, c.client, path, w)
		if !errors.Is(err, errNoSFTP) {
			return info, err
		}
	}
	return c.files().Get(ctx, path, w)
}

// Put implements conn.Conn.
func (c *Conn) Put(ctx context.Context, path string, r io.Reader, mode fs.FileMode) error {
	if c.plain() {
		err := c.sftp.put(ctx, c.client, path, r, mode)
		if !errors.Is(err, errNoSFTP) {
			return err
		}
	}
	return c.files().Put(ctx, path, r, mode)
}

// Stat implements conn.Conn.
func (c *Conn) Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	if c.plain() {
		info, err := c.sftp.stat(ctx, c.client, path)
		if !errors.Is(err, errNoSFTP) {
			return info, err
		}
	}
	return c.files().Stat(ctx, path)
}

// slot waits for one of the channels.
func (c *client) slot(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Start implements shell.Starter.
func (c *client) Start(ctx context.Context, line string) (shell.Process, error) {
	if err := c.slot(ctx); err != nil {
		return nil, err
	}
	p := &process{client: c}
	if err := p.start(line); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

// process is a command in a session of its own.
type process struct {
	client         *client
	session        *ssh.Session
	stdin          io.WriteCloser
	stdout, stderr io.Reader
	closing        sync.Once
}

func (p *process) start(line string) error {
	var err error
	if p.session, err = p.client.ssh.NewSession(); err != nil {
		return p.client.lost("open a session", err)
	}
	var errs [3]error
	p.stdin, errs[0] = p.session.StdinPipe()
	p.stdout, errs[1] = p.session.StdoutPipe()
	p.stderr, errs[2] = p.session.StderrPipe()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if err := p.session.Start(line); err != nil {
		return p.client.lost("start a command", err)
	}
	return nil
}

// lost wraps the failure of a request: the host may have refused it, or be
// gone.
func (c *client) lost(what string, err error) error {
	if refused, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
		return fmt.Errorf("%s: the host refuses it: %s", what, refused.Message)
	}
	return fmt.Errorf("%s: %w (%w)", what, conn.ErrLost, err)
}

// Stdin implements shell.Process.
func (p *process) Stdin() io.WriteCloser { return p.stdin }

// Stdout implements shell.Process.
func (p *process) Stdout() io.Reader { return p.stdout }

// Stderr implements shell.Process.
func (p *process) Stderr() io.Reader { return p.stderr }

// Wait implements shell.Process.
func (p *process) Wait() error {
	err := p.session.Wait()
	if err == nil {
		return nil
	}
	if exit, ok := errors.AsType[*ssh.ExitError](err); ok {
		if signal := exit.Signal(); signal != "" {
			return &conn.ExitError{Code: -1, Signal: signal}
		}
		return &conn.ExitError{Code: exit.ExitStatus()}
	}
	// Without an exit status nobody knows how the command has ended.
	return fmt.Errorf("%w: the host did not tell how the command ended (%w)", conn.ErrLost, err)
}

// Close implements shell.Process.
func (p *process) Close() error {
	p.closing.Do(func() {
		if p.session != nil {
			_ = p.session.Close() // has ended already, mostly
		}
		<-p.client.slots
	})
	return nil
}
