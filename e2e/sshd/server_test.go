package sshd

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// host is a host with OpenSSH's server, and how to reach it.
type host struct {
	dir        string // readable by its user
	user       string
	port       int
	inventory  string
	knownHosts string
	key        string
}

// ordinaryUser is whom the tests log in as: whoever runs them, or an ordinary
// user if that is root.
func ordinaryUser(t *testing.T) *user.User {
	t.Helper()
	name := os.Getenv("SSHD_USER")
	if os.Getuid() != 0 {
		u, err := user.Current()
		require.NoError(t, err)
		return u
	}
	if name == "" {
		name = "runner-ci"
	}
	u, err := user.Lookup(name)
	if err != nil {
		missing(t, "there is no ordinary user "+name)
	}
	return u
}

// missing skips a test that needs what this machine lacks; in CI that is a
// failure.
func missing(t *testing.T, what string) {
	t.Helper()
	if whole() {
		t.Fatal(what)
	}
	t.Skip(what)
}

// biggestFile is how large a file may get on the host, in bytes: whoever
// would put a copy of a database there is killed with SIGXFSZ.
const biggestFile = 40 << 20

// startHost starts a server that ends with the test.
func startHost(t *testing.T) *host {
	t.Helper()
	sshd := "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); err != nil {
		missing(t, "there is no sshd")
	}
	u := ordinaryUser(t)
	dir, err := os.MkdirTemp("", "runner-sshd-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	h := &host{dir: dir, user: u.Username, key: filepath.Join(dir, "id_ed25519"), knownHosts: filepath.Join(dir, "known_hosts"), inventory: filepath.Join(dir, "inventory.yml")}
	for _, name := range []string{"id_ed25519", "host_key"} {
		out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	require.NoError(t, os.Chmod(h.key+".pub", 0o644))
	h.port = h.serve(t, sshd)
	public, err := os.ReadFile(filepath.Join(dir, "host_key.pub"))
	require.NoError(t, err)
	fields := strings.Fields(string(public))
	h.write(t, h.knownHosts, fmt.Sprintf("[127.0.0.1]:%d %s %s\n", h.port, fields[0], fields[1]))
	h.write(t, h.inventory, fmt.Sprintf(`trackers:
  hosts:
    tracker-1:
      ansible_host: 127.0.0.1
      ansible_port: %d
      ansible_user: %s
      ansible_ssh_private_key_file: %s
      ansible_ssh_common_args: -o UserKnownHostsFile=%s
      torrust_root: %s
`, h.port, h.user, h.key, h.knownHosts, filepath.Join(dir, "torrust")))
	return h
}

func (h *host) write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// serve starts sshd on a free port. The port may be taken between finding and
// using it, so it tries again.
func (h *host) serve(t *testing.T, sshd string) (port int) {
	t.Helper()
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port = l.Addr().(*net.TCPAddr).Port
		require.NoError(t, l.Close())
		config := filepath.Join(h.dir, "sshd_config")
		h.write(t, config, fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %s
AuthorizedKeysFile %s
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
Subsystem sftp internal-sftp
`, port, filepath.Join(h.dir, "host_key"), h.key+".pub"))
		if os.Getuid() == 0 {
			require.NoError(t, os.MkdirAll("/run/sshd", 0o755))
		}
		if h.start(t, sshd, config, port) {
			return port
		}
	}
	t.Fatal("sshd does not start")
	return 0
}

// start starts sshd; it ends with the test, and its sessions with it.
func (h *host) start(t *testing.T, sshd, config string, port int) bool {
	t.Helper()
	script := fmt.Sprintf(`ulimit -f %d && exec "$0" -D -e -f "$1"`, biggestFile/1024)
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // ended by a Cleanup, after the test's context
	cmd := exec.CommandContext(ctx, "/bin/bash", "-c", script, sshd, config)
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-ended:
			cancel()
			t.Log(log.String())
			return false
		default:
		}
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			require.NoError(t, c.Close())
			t.Cleanup(func() {
				cancel()
				<-ended
			})
			return true
		}
	}
	cancel()
	<-ended
	return false
}
