// Package opensshd owns a run of the system's sshd on a loopback port, for
// end-to-end tests and comparisons: the server that most hosts have, as an
// ordinary user of it.
//
// It never knows what a client of it is for. Product code does not use it.
package opensshd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/torrust/runner/internal/conn/sshserver"
)

// ErrMissing reports that there is no sshd on this machine.
var ErrMissing = errors.New("there is no sshd on this machine; on Debian: apt install openssh-server")

// Config says what a server is to be like.
type Config struct {
	Dir     string   // for keys and configuration; every user must be able to look into it
	User    string   // who logs in; whoever runs this program if empty. Another needs root
	Env     []string // of every session: NAME=VALUE, without blanks
	MaxFile int64    // bytes; nothing behind the server can write a longer file. 0: any
}

// Server is a server that runs.
type Server struct {
	User       *user.User // who logs in
	Port       int
	Key        string // path of the private key of that user
	KnownHosts string // path

	dir string
	cmd *exec.Cmd
	log *os.File
}

// patience is how long a server may take to listen.
const patience = 30 * time.Second

// Start starts a server and waits until it listens. It ends with Close, or
// with ctx.
func Start(ctx context.Context, c Config) (*Server, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{dir: c.Dir, Key: filepath.Join(c.Dir, "id_ed25519"), KnownHosts: filepath.Join(c.Dir, "known_hosts")}
	if c.User == "" {
		s.User, err = user.Current()
	} else {
		s.User, err = user.Lookup(c.User)
	}
	if err != nil {
		return nil, err
	}
	if err := s.configure(ctx, c); err != nil {
		return nil, err
	}
	if err := s.start(ctx, program, c.MaxFile); err != nil {
		return nil, err
	}
	return s, nil
}

func find() (string, error) {
	if program, err := exec.LookPath("sshd"); err == nil {
		return filepath.Abs(program) // sshd wants it absolute, to start itself anew
	}
	const usual = "/usr/sbin/sshd" // not in the path of ordinary users
	if _, err := os.Stat(usual); err != nil {
		return "", ErrMissing
	}
	return usual, nil
}

// configure writes the files of the server and of its client.
func (s *Server) configure(ctx context.Context, c Config) error {
	hostKey, allowed := filepath.Join(s.dir, "host_key"), filepath.Join(s.dir, "authorized_keys")
	hostPublic, err := sshserver.WriteKey(hostKey)
	if err != nil {
		return err
	}
	userPublic, err := sshserver.WriteKey(s.Key)
	if err != nil {
		return err
	}
	if s.Port, err = freePort(ctx); err != nil {
		return err
	}
	config := fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %s
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile %s
Subsystem sftp internal-sftp
`, s.Port, hostKey, allowed)
	if len(c.Env) > 0 {
		config += "SetEnv " + strings.Join(c.Env, " ") + "\n"
	}
	return errors.Join(
		os.WriteFile(allowed, userPublic, 0o644), // sshd reads it as the user
		os.WriteFile(s.KnownHosts, fmt.Appendf(nil, "[127.0.0.1]:%d %s", s.Port, hostPublic), 0o600),
		os.WriteFile(filepath.Join(s.dir, "sshd_config"), []byte(config), 0o600))
}

func (s *Server) start(ctx context.Context, program string, maxFile int64) (err error) {
	if os.Getuid() == 0 { // where sshd separates privileges
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return err
		}
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	limit := "unlimited"
	if maxFile > 0 {
		limit = strconv.FormatInt(maxFile>>10, 10)
	}
	// The limit holds for all that runs behind this server.
	s.cmd = exec.CommandContext(ctx, "bash", "-c", `ulimit -f "$1" && shift && exec "$@"`, "bash", limit,
		program, "-D", "-e", "-f", filepath.Join(s.dir, "sshd_config"))
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		return errors.Join(err, s.log.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)))
		if err == nil {
			return c.Close()
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("sshd does not listen: %s", errors.Join(s.Close(), errors.New(s.Log())))
		}
	}
}

// Cut kills the processes that serve the connections at hand. New ones can be
// made.
func (s *Server) Cut() error {
	victims, err := children(s.cmd.Process.Pid)
	for i := 0; i < len(victims) && err == nil; i++ { // those of the privileged ones, too
		var more []int
		more, err = children(victims[i])
		for _, pid := range more {
			if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); strings.HasPrefix(string(comm), "sshd") {
				victims = append(victims, pid)
			}
		}
	}
	for _, pid := range victims {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	return err
}

// children returns the processes that a process has started and that live.
func children(pid int) ([]int, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil, nil
	}
	var out []int
	for _, field := range strings.Fields(string(data)) {
		child, convErr := strconv.Atoi(field)
		err = errors.Join(err, convErr)
		out = append(out, child)
	}
	return out, err
}

// Close ends the server.
func (s *Server) Close() error {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // killed
	return s.log.Close()
}

// Log returns what the server has said.
func (s *Server) Log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(text)
}

// Inventory returns an inventory that names this server as a host, whose
// Torrust stands at torrust.
func (s *Server) Inventory(host, torrust string) string {
	return fmt.Sprintf(`trackers:
  hosts:
    %s:
      ansible_host: 127.0.0.1
      ansible_port: %d
      ansible_user: %s
      ansible_ssh_private_key_file: %s
      ansible_ssh_common_args: -o UserKnownHostsFile=%s
      torrust_root: %s
`, host, s.Port, s.User.Username, s.Key, s.KnownHosts, torrust)
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	addr, err := net.ResolveTCPAddr("tcp", l.Addr().String())
	if err != nil {
		return 0, err
	}
	return addr.Port, nil
}
