package sshd_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn/sshserver"
)

// maxFile is how long a file may become that something behind the server
// writes, in MB: a helper fits, a copy of a database does not.
const maxFile = 40

// server is the system's sshd on a loopback port.
type server struct {
	dir        string // world-readable: keys, configuration
	port       int
	user       *user.User // who logs in
	key        string     // private, of that user
	knownHosts string
}

// account returns who logs in: $SSHD_USER, or whoever runs the test.
func account(t *testing.T) *user.User {
	t.Helper()
	var u *user.User
	var err error
	if name := os.Getenv("SSHD_USER"); name != "" {
		u, err = user.Lookup(name)
	} else {
		u, err = user.Current()
	}
	require.NoError(t, err)
	return u
}

// startServer starts an sshd; it ends with the test. Without an sshd the test
// is skipped, unless REQUIRE_SSHD is set.
func startServer(t *testing.T) *server {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("REQUIRE_SSHD") != "" {
			require.NoError(t, err)
		}
		t.Skip("there is no sshd on this machine")
	}
	s := &server{dir: publicDir(t), user: account(t)}
	s.key, s.knownHosts = filepath.Join(s.dir, "id_ed25519"), filepath.Join(s.dir, "known_hosts")
	hostKey := filepath.Join(s.dir, "host_key")
	hostPublic, err := sshserver.WriteKey(hostKey)
	require.NoError(t, err)
	userPublic, err := sshserver.WriteKey(s.key)
	require.NoError(t, err)
	s.port = freePort(t)
	require.NoError(t, os.WriteFile(s.path("authorized_keys"), userPublic, 0o644)) // read as that user
	write(t, s.knownHosts, fmt.Sprintf("[127.0.0.1]:%d %s", s.port, hostPublic))
	write(t, s.path("sshd_config"), fmt.Sprintf(`
ListenAddress 127.0.0.1:%d
HostKey %s
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile %s
Subsystem sftp internal-sftp
`, s.port, hostKey, s.path("authorized_keys")))
	s.start(t, program)
	return s
}

func (s *server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *server) start(t *testing.T, program string) {
	t.Helper()
	if os.Getuid() == 0 {
		require.NoError(t, os.MkdirAll("/run/sshd", 0o755)) // where sshd separates privileges
	}
	log, err := os.Create(s.path("log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	// The limit holds for all that runs behind this server.
	cmd := exec.Command("bash", "-c", `ulimit -f "$1" && shift && exec "$@"`, "bash",
		strconv.Itoa(maxFile<<10), program, "-D", "-e", "-f", s.path("sshd_config"))
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(s.path("log"))
			t.Logf("sshd said:\n%s", text)
		}
	})
	require.Eventually(t, func() bool {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, time.Minute, 20*time.Millisecond, "sshd listens")
}

// writeInventory writes an inventory with one host, whose Torrust stands at
// torrust.
func (s *server) writeInventory(t *testing.T, path, host, torrust string) {
	t.Helper()
	write(t, path, fmt.Sprintf(`trackers:
  hosts:
    %s:
      ansible_host: 127.0.0.1
      ansible_port: %d
      ansible_user: %s
      ansible_ssh_private_key_file: %s
      ansible_ssh_common_args: -o UserKnownHostsFile=%s
      torrust_root: %s
`, host, s.port, s.user.Username, s.key, s.knownHosts, torrust))
}

// give makes dir and all in it belong to who logs in.
func (s *server) give(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	uid, err := strconv.Atoi(s.user.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(s.user.Gid)
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, gid))
	}))
}

// publicDir returns a folder that every user may look into.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "runner-sshd-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(strings.TrimLeft(text, "\n")), 0o600))
}
