package sshserver

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// fixture is a server and what a client needs to log in.
type fixture struct {
	*Server
	root   string
	config *ssh.ClientConfig
}

func start(t *testing.T, f Faults) fixture {
	t.Helper()
	dir := t.TempDir()
	public, err := WriteKey(filepath.Join(dir, "key"))
	require.NoError(t, err)
	private, err := os.ReadFile(filepath.Join(dir, "key"))
	require.NoError(t, err)
	signer, err := ssh.ParsePrivateKey(private)
	require.NoError(t, err)
	root := filepath.Join(dir, "home")
	require.NoError(t, os.Mkdir(root, 0o700))
	s, err := Start(t.Context(), Config{Root: root, AuthorizedKeys: public, Faults: f})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	known := filepath.Join(dir, "known_hosts")
	require.NoError(t, os.WriteFile(known, []byte(s.KnownHostsLine()), 0o600))
	check, err := knownhosts.New(known)
	require.NoError(t, err)
	return fixture{s, root, &ssh.ClientConfig{User: "torrust", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: check}}
}

func (f fixture) dial(t *testing.T) *ssh.Client {
	t.Helper()
	c, err := ssh.Dial("tcp", f.Addr(), f.config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (f fixture) session(t *testing.T) *ssh.Session {
	t.Helper()
	s, err := f.dial(t).NewSession()
	require.NoError(t, err)
	return s
}

func TestExec(t *testing.T) {
	t.Parallel()
	f := start(t, Faults{})
	s := f.session(t)
	var out, errs bytes.Buffer
	s.Stdin, s.Stdout, s.Stderr = strings.NewReader("in"), &out, &errs
	require.NoError(t, s.Setenv("GREETING", "hello"))
	err := s.Run(`echo "$GREETING $HOME $USER"; pwd; cat; echo no >&2; exit 7`)
	var exit *ssh.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 7, exit.ExitStatus())
	assert.Equal(t, "hello "+f.root+" torrust\n"+f.root+"\nin", out.String())
	assert.Equal(t, "no\n", errs.String())
}

func TestExitIsToldBeforeTheOutputEnds(t *testing.T) {
	t.Parallel()
	f := start(t, Faults{})
	channel, requests, err := f.dial(t).OpenChannel("session", nil)
	require.NoError(t, err)
	ok, err := channel.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{`sleep 100 & exit 3`})) // the sleep holds the output
	require.NoError(t, err)
	require.True(t, ok)
	exit := <-requests
	assert.Equal(t, "exit-status", exit.Type)
	assert.Equal(t, []byte{0, 0, 0, 3}, exit.Payload)
	require.NoError(t, f.Close())
	_, err = io.ReadAll(channel)
	require.NoError(t, err)
}

func TestSignal(t *testing.T) {
	t.Parallel()
	s := start(t, Faults{}).session(t)
	out, err := s.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.Start(`echo ready; sleep 100 | cat`)) // the group gets it
	_, err = io.ReadFull(out, make([]byte, len("ready\n")))
	require.NoError(t, err)
	require.NoError(t, s.Signal(ssh.SIGTERM))
	var exit *ssh.ExitError
	require.ErrorAs(t, s.Wait(), &exit)
	assert.Equal(t, "TERM", exit.Signal())
}

func TestCloseKillsWhatRuns(t *testing.T) {
	t.Parallel()
	f := start(t, Faults{})
	s := f.session(t)
	out, err := s.StdoutPipe()
	require.NoError(t, err)
	fifo := filepath.Join(f.root, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	// Two processes hold the FIFO: it ends when both are dead.
	require.NoError(t, s.Start(`trap "" TERM HUP; exec 3<>fifo; echo ready; sleep 100 & sleep 100`))
	_, err = io.ReadFull(out, make([]byte, len("ready\n")))
	require.NoError(t, err)
	held, err := os.OpenFile(fifo, os.O_RDONLY, 0)
	require.NoError(t, err)
	defer held.Close()
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "again")
	_, err = io.ReadAll(held)
	require.NoError(t, err)
	require.Error(t, s.Wait())
	_, err = ssh.Dial("tcp", f.Addr(), f.config)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	f := start(t, Faults{})
	c, err := sftp.NewClient(f.dial(t))
	require.NoError(t, err)
	defer c.Close()
	wd, err := c.Getwd()
	require.NoError(t, err)
	assert.Equal(t, f.root, wd)
	w, err := c.Create("a file")
	require.NoError(t, err)
	_, err = w.ReadFrom(strings.NewReader("content"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	content, err := os.ReadFile(filepath.Join(f.root, "a file"))
	require.NoError(t, err)
	assert.Equal(t, "content", string(content))
	_, err = c.Stat(filepath.Join(f.root, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestForward(t *testing.T) {
	t.Parallel()
	inner, outer := start(t, Faults{}), start(t, Faults{})
	through, err := outer.dial(t).Dial("tcp", inner.Addr())
	require.NoError(t, err)
	c, channels, requests, err := ssh.NewClientConn(through, inner.Addr(), inner.config)
	require.NoError(t, err)
	s, err := ssh.NewClient(c, channels, requests).NewSession()
	require.NoError(t, err)
	out, err := s.Output("pwd")
	require.NoError(t, err)
	assert.Equal(t, inner.root+"\n", string(out))
}

func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	f := start(t, Faults{})
	other, err := newSigner()
	require.NoError(t, err)
	f.config.Auth = []ssh.AuthMethod{ssh.PublicKeys(other)}
	_, err = ssh.Dial("tcp", f.Addr(), f.config)
	require.ErrorContains(t, err, "unable to authenticate")
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		faults Faults
		check  func(t *testing.T, f fixture)
	}{
		"banner": {Faults{Banner: "HTTP/1.1 400 Bad Request\r\n\r\n"}, func(t *testing.T, f fixture) {
			_, err := ssh.Dial("tcp", f.Addr(), f.config)
			require.Error(t, err)
		}},
		"silent": {Faults{Silent: true}, func(t *testing.T, f fixture) {
			c, err := net.Dial("tcp", f.Addr())
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
			_, err = c.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		}},
		"drop": {Faults{DropAfter: 100_000}, func(t *testing.T, f fixture) {
			s := f.session(t)
			var out bytes.Buffer
			s.Stdout = &out
			require.Error(t, s.Run("head -c 1000000 /dev/zero"))
			assert.Less(t, out.Len(), 100_000)
			assert.Greater(t, out.Len(), 10_000)
		}},
		"no exit status": {Faults{NoExitStatus: true}, func(t *testing.T, f fixture) {
			var missing *ssh.ExitMissingError
			require.ErrorAs(t, f.session(t).Run("exit 0"), &missing)
		}},
		"no SFTP, no commands": {Faults{NoSFTP: true, NoExec: true}, func(t *testing.T, f fixture) {
			c := f.dial(t)
			_, err := sftp.NewClient(c)
			require.Error(t, err)
			s, err := c.NewSession()
			require.NoError(t, err)
			require.Error(t, s.Run("exit 0"))
		}},
		"sessions": {Faults{MaxSessions: 1}, func(t *testing.T, f fixture) {
			c := f.dial(t)
			_, err := c.NewSession()
			require.NoError(t, err)
			_, err = c.NewSession()
			var refused *ssh.OpenChannelError
			require.ErrorAs(t, err, &refused)
		}},
		"cut": {Faults{}, func(t *testing.T, f fixture) {
			s := f.session(t)
			require.NoError(t, s.Start("sleep 100"))
			f.Cut()
			require.Error(t, s.Wait())
		}},
		"freeze": {Faults{}, func(t *testing.T, f fixture) {
			c := f.dial(t)
			f.Freeze()
			answer := make(chan error, 1)
			go func() {
				_, _, err := c.SendRequest("keepalive@openssh.com", true, nil)
				answer <- err
			}()
			select {
			case <-answer:
				assert.Fail(t, "a frozen server answers")
			case <-time.After(20 * time.Millisecond):
			}
			f.Cut()
			require.Error(t, <-answer)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.check(t, start(t, tt.faults))
		})
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Start(t.Context(), Config{Root: file})
	require.ErrorContains(t, err, "not a directory")
	_, err = Start(t.Context(), Config{Root: filepath.Join(dir, "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Start(t.Context(), Config{Root: dir, AuthorizedKeys: []byte("ssh-ed25519 junk")})
	require.ErrorContains(t, err, "authorized keys")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, err = Start(t.Context(), Config{Root: dir, Listen: l.Addr().String()})
	require.True(t, errors.Is(err, syscall.EADDRINUSE))
}

func TestWriteKeyReplaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	_, err := WriteKey(path)
	require.NoError(t, err)
	st, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), st.Mode())
}
