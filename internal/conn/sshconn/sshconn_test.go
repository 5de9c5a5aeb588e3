package sshconn

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/conn/sshserver"
)

// site is a server and what a person has who may log in there.
type site struct {
	*sshserver.Server
	home   string
	target conn.Target
	dialer *Dialer
}

func newSite(t *testing.T, c sshserver.Config) *site {
	t.Helper()
	s := &site{home: t.TempDir()}
	key := filepath.Join(s.home, "key")
	public, err := sshserver.WriteKey(key)
	require.NoError(t, err)
	c.Root = t.TempDir()
	c.AuthorizedKeys = public
	s.Server, err = sshserver.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Server.Close()) })
	known := filepath.Join(s.home, "known_hosts")
	require.NoError(t, os.WriteFile(known, []byte(s.KnownHostsLine()), 0o600))
	s.target = conn.Target{Name: "h", Host: "127.0.0.1", Port: s.Port(), User: "u", KeyFiles: []string{key}, KnownHosts: []string{known}}
	s.dialer = New(Options{Home: s.home, Env: func(string) string { return "" }, ConfigFiles: []string{filepath.Join(s.home, "config")}})
	t.Cleanup(func() { assert.NoError(t, s.dialer.Close()) })
	return s
}

func (s *site) dial(t *testing.T) conn.Conn {
	t.Helper()
	c, err := s.dialer.Dial(t.Context(), s.target)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

func TestRunAndFiles(t *testing.T) {
	t.Parallel()
	c := newSite(t, sshserver.Config{}).dial(t)
	var out, errOut bytes.Buffer
	err := c.Run(t.Context(), conn.Cmd{Argv: conn.Shell(`cat; echo "$X" >&2; exit 5`), Stdin: strings.NewReader("in"), Stdout: &out, Stderr: &errOut, Env: map[string]string{"X": "it's"}})
	exit, ok := errors.AsType[*conn.ExitError](err)
	require.True(t, ok, err)
	assert.Equal(t, 5, exit.Code)
	assert.Equal(t, "in", out.String())
	assert.Equal(t, "it's\n", errOut.String())

	big := make([]byte, 5<<20)
	_, _ = rand.Read(big)
	path := filepath.Join(t.TempDir(), "a 'b")
	for _, via := range []conn.Conn{c, c.As(conn.Become{})} {
		require.NoError(t, via.Put(t.Context(), path, bytes.NewReader(big), 0o640))
		var got bytes.Buffer
		info, err := via.Get(t.Context(), path, &got)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(big, got.Bytes()))
		assert.Equal(t, fs.FileMode(0o640), info.Mode())
	}
	_, err = c.Get(t.Context(), path+"x", io.Discard)
	require.ErrorIs(t, err, fs.ErrNotExist)
	broken := errors.New("broken")
	err = c.Put(t.Context(), path, io.MultiReader(strings.NewReader("x"), failing{broken}), 0o600)
	require.ErrorIs(t, err, broken)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	info, err := c.Stat(t.Context(), path)
	require.NoError(t, err)
	assert.Equal(t, int64(len(big)), info.Size(), "the old file stands")
	assert.Equal(t, "u", c.Peer().User)
	assert.Contains(t, c.Peer().Fingerprint, "SHA256:")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestManyCommandsAtOnce(t *testing.T) {
	t.Parallel()
	c := newSite(t, sshserver.Config{}).dial(t)
	var wait sync.WaitGroup
	for range 30 { // more than there are channels
		wait.Go(func() {
			var out bytes.Buffer
			assert.NoError(t, c.Run(t.Context(), conn.Cmd{Argv: []string{"echo", "hello"}, Stdout: &out}))
			assert.Equal(t, "hello\n", out.String())
		})
	}
	wait.Wait()
}

func TestCancel(t *testing.T) {
	t.Parallel()
	c := newSite(t, sshserver.Config{}).dial(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	r, w := io.Pipe()
	child := make(chan string, 1)
	go func() {
		pid := make([]byte, 32)
		n, _ := r.Read(pid)
		child <- strings.TrimSpace(string(pid[:n]))
		cancel(stop)
	}()
	err := c.Run(ctx, conn.Cmd{Argv: conn.Shell(`sleep 1000 & echo $!; wait`), Stdout: w})
	require.ErrorIs(t, err, stop)
	if state, err := os.ReadFile("/proc/" + <-child + "/stat"); err == nil {
		assert.Contains(t, string(state), ") Z ")
	}
	assert.NoError(t, c.Run(t.Context(), conn.Cmd{Argv: []string{"true"}}), "the connection is still good")
}

func TestLostLink(t *testing.T) {
	t.Parallel()
	s := newSite(t, sshserver.Config{})
	c := s.dial(t)
	r, w := io.Pipe()
	go func() {
		_, _ = r.Read(make([]byte, 16))
		_ = s.Server.Close()
		_, _ = io.Copy(io.Discard, r)
	}()
	err := c.Run(t.Context(), conn.Cmd{Argv: conn.Shell(`echo up; sleep 1000`), Stdout: w})
	require.ErrorIs(t, err, conn.ErrLost)
	err = c.Run(t.Context(), conn.Cmd{Argv: []string{"true"}})
	require.ErrorIs(t, err, conn.ErrLost)
	_, err = c.Get(t.Context(), "/etc/passwd", io.Discard)
	require.ErrorIs(t, err, conn.ErrLost)
}

// TestFailures: each reason has its stage, names what is wrong, and says what
// to do.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		spoil      func(t *testing.T, s *site)
		stage      conn.Stage
		text, hint string
	}{
		"no such key": {func(_ *testing.T, s *site) { s.target.KeyFiles = []string{"/no/key"} }, conn.StageConfig, "/no/key does not exist", "ansible_ssh_private_key_file"},
		"a key that the host does not know": {func(t *testing.T, s *site) {
			_, err := sshserver.WriteKey(filepath.Join(s.home, "other"))
			require.NoError(t, err)
			s.target.KeyFiles = []string{filepath.Join(s.home, "other")}
		}, conn.StageAuth, "does not let u in; tried: the key", "authorized_keys"},
		"nothing to log in with": {func(_ *testing.T, s *site) { s.target.KeyFiles = nil }, conn.StageAuth, "there is nothing to log in with", "--private-key"},
		"key not known":          {func(t *testing.T, s *site) { s.knownHosts(t, "") }, conn.StageHostKey, "not in known_hosts: SHA256:", "ssh-keyscan"},
		"key changed": {func(t *testing.T, s *site) {
			other, err := sshserver.Start(t.Context(), sshserver.Config{Root: s.home})
			require.NoError(t, err)
			defer other.Close()
			fields := strings.Fields(other.KnownHostsLine())
			fields[0] = strings.Fields(s.KnownHostsLine())[0]
			s.knownHosts(t, "# comment\n"+strings.Join(fields, " ")+"\n")
		}, conn.StageHostKey, "known_hosts:2)", "ssh-keygen -R"},
		"pinned key differs": {func(_ *testing.T, s *site) { s.target.Fingerprint = "SHA256:x" }, conn.StageHostKey, "is pinned", "set up anew"},
		"port refused": {func(t *testing.T, s *site) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			s.target.Port = l.Addr().(*net.TCPAddr).Port
			require.NoError(t, l.Close())
		}, conn.StageConnect, "connection refused", "is sshd running"},
		"no such name":         {func(_ *testing.T, s *site) { s.target.Host = "no-such-host.invalid" }, conn.StageResolve, "no-such-host.invalid", "ansible_host"},
		"option not supported": {func(_ *testing.T, s *site) { s.target.Options = []conn.Option{{Name: "ProxyCommand", Value: "x"}} }, conn.StageConfig, "proxycommand", "ProxyJump"},
		"jump host refuses": {func(_ *testing.T, s *site) {
			s.target.Options = []conn.Option{{Name: "ProxyJump", Value: "u@127.0.0.1:1"}}
		}, conn.StageJump, "u@127.0.0.1:1: connect", "nothing listens on port 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, sshserver.Config{})
			tt.spoil(t, s)
			_, err := s.dialer.Dial(t.Context(), s.target)
			e, ok := errors.AsType[*conn.DialError](err)
			require.True(t, ok, err)
			assert.Equal(t, tt.stage, e.Stage, err)
			assert.Contains(t, e.Error(), tt.text)
			assert.Contains(t, e.Hint, tt.hint)
			assert.NotContains(t, e.Hint, "StrictHostKeyChecking=no")
		})
	}
}

func (s *site) knownHosts(t *testing.T, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(s.target.KnownHosts[0], []byte(text), 0o600))
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	s := newSite(t, sshserver.Config{})
	s.target.Port = l.Addr().(*net.TCPAddr).Port
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("deadline")
	go func() {
		c, err := l.Accept()
		cancel(stop)
		if err == nil {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}()
	_, err = s.dialer.Dial(ctx, s.target)
	require.ErrorIs(t, err, stop)
}

func TestAcceptNewRemembers(t *testing.T) {
	t.Parallel()
	s := newSite(t, sshserver.Config{})
	s.knownHosts(t, "")
	s.target.HostKeyPolicy = conn.HostKeyAcceptNew
	s.dial(t)
	text, err := os.ReadFile(s.target.KnownHosts[0])
	require.NoError(t, err)
	assert.Equal(t, s.KnownHostsLine(), string(text))
	s.target.HostKeyPolicy = ""
	s.dial(t)
}

func TestJump(t *testing.T) {
	t.Parallel()
	s := newSite(t, sshserver.Config{})
	s.target.Options = []conn.Option{{Name: "ProxyJump", Value: "u@" + s.Addr()}}
	for range 2 {
		var out bytes.Buffer
		require.NoError(t, s.dial(t).Run(t.Context(), conn.Cmd{Argv: []string{"echo", "through"}, Stdout: &out}))
		assert.Equal(t, "through\n", out.String())
	}
	assert.Len(t, s.dialer.jumps, 1)
}

func TestConfigFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, sshserver.Config{})
	config := "Host other\n  Port 1\nHost h* !hx\n  HostName=127.0.0.1\n  Port " + strings.TrimPrefix(s.Addr(), "127.0.0.1:") +
		"\n  IdentityFile \"" + s.target.KeyFiles[0] + "\"\nMatch host 127.0.0.1\n  User u\n  ForwardAgent yes\n  UserKnownHostsFile " + s.target.KnownHosts[0] + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(s.home, "config"), []byte(config), 0o600))
	s.target = conn.Target{Name: "h1"}
	assert.Equal(t, "u", s.dial(t).Peer().User)
}
