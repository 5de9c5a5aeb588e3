// Package localconn owns the connection "local": this machine, without SSH.
//
// It never knows SSH, nor why a playbook runs here.
package localconn

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"os/user"
	"syscall"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/conn/shell"
)

// Dialer makes connections to this machine. Its zero value is ready.
type Dialer struct{}

var _ conn.Dialer = Dialer{}

// Dial implements conn.Dialer; it cannot fail.
func (Dialer) Dial(_ context.Context, _ conn.Target) (conn.Conn, error) {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return &Conn{peer: conn.Peer{Addr: "local", User: name}}, nil
}

// Close implements conn.Dialer; there is nothing to close.
func (Dialer) Close() error { return nil }

// Conn is this machine.
type Conn struct {
	peer   conn.Peer
	become conn.Become
}

var _ conn.Conn = (*Conn)(nil)

// Run implements conn.Conn.
func (c *Conn) Run(ctx context.Context, cmd conn.Cmd) error {
	return shell.Run(ctx, starter{}, cmd, c.become)
}

func (c *Conn) files() shell.Files { return shell.Files{Run: c.Run} }

// Get implements conn.Conn.
func (c *Conn) Get(ctx context.Context, path string, w io.Writer) (fs.FileInfo, error) {
	return c.files().Get(ctx, path, w)
}

// Put implements conn.Conn.
func (c *Conn) Put(ctx context.Context, path string, r io.Reader, mode fs.FileMode) error {
	return c.files().Put(ctx, path, r, mode)
}

// Stat implements conn.Conn.
func (c *Conn) Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	return c.files().Stat(ctx, path)
}

// As implements conn.Conn.
func (c *Conn) As(b conn.Become) conn.Conn { return &Conn{c.peer, b} }

// Peer implements conn.Conn.
func (c *Conn) Peer() conn.Peer { return c.peer }

// Close implements conn.Conn; there is nothing to close.
func (c *Conn) Close() error { return nil }

type starter struct{}

// Start implements shell.Starter. The process leads a group of its own, so
// that Ctrl-C is not for it, and all of it can be ended.
func (starter) Start(_ context.Context, line string) (shell.Process, error) {
	p := &process{cmd: exec.Command("/bin/sh", "-c", line)}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var errs [3]error
	p.stdin, errs[0] = p.cmd.StdinPipe()
	p.stdout, errs[1] = p.cmd.StdoutPipe()
	p.stderr, errs[2] = p.cmd.StderrPipe()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

type process struct {
	cmd            *exec.Cmd
	stdin          io.WriteCloser
	stdout, stderr io.ReadCloser
}

func (p *process) Stdin() io.WriteCloser { return p.stdin }
func (p *process) Stdout() io.Reader     { return p.stdout }
func (p *process) Stderr() io.Reader     { return p.stderr }

// Wait implements shell.Process. exec.Cmd.Wait would close the streams under
// their readers, so the process alone is waited for.
func (p *process) Wait() error {
	state, err := p.cmd.Process.Wait()
	if err != nil {
		return err
	}
	status, _ := state.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled():
		return &conn.ExitError{Code: -1, Signal: signalName(status.Signal())}
	case status.ExitStatus() != 0:
		return &conn.ExitError{Code: status.ExitStatus()}
	}
	return nil
}

func signalName(s syscall.Signal) string {
	names := map[syscall.Signal]string{
		syscall.SIGHUP: "HUP", syscall.SIGINT: "INT", syscall.SIGQUIT: "QUIT", syscall.SIGILL: "ILL", syscall.SIGABRT: "ABRT",
		syscall.SIGFPE: "FPE", syscall.SIGKILL: "KILL", syscall.SIGSEGV: "SEGV", syscall.SIGPIPE: "PIPE", syscall.SIGALRM: "ALRM", syscall.SIGTERM: "TERM",
	}
	if name, ok := names[s]; ok {
		return name
	}
	return s.String()
}

// Close implements shell.Process.
func (p *process) Close() error {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // gone already, mostly
	return errors.Join(ignoreClosed(p.stdin.Close()), ignoreClosed(p.stdout.Close()), ignoreClosed(p.stderr.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}
