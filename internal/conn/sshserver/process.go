package sshserver

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"
)

// signals are those that a client may send, by their names in RFC 4254, 6.10.
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
	"QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM,
	"USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
}

// process is a running command. As with OpenSSH it leads a process group of
// its own, and outlives a client that goes away; it ends with the server.
type process struct {
	cmd     *exec.Cmd
	outputs sync.WaitGroup
	unkill  func() bool // forgets to kill it with the server
}

// start runs command by the shell, joined to the channel of s.
func (srv *Server) start(s *session, command string) (*process, error) {
	var pipes pipes
	defer pipes.closeTheirs()
	p := &process{cmd: exec.Command("/bin/sh", "-c", command)}
	p.cmd.Dir = srv.root
	p.cmd.Env = append([]string{
		"HOME=" + srv.root, "PATH=" + os.Getenv("PATH"), "SHELL=/bin/sh",
		"USER=" + s.conn.User(), "LOGNAME=" + s.conn.User(),
	}, s.env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := pipes.open(p.cmd); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		pipes.closeOurs()
		return nil, err
	}
	// Files, not what exec.Cmd copies by itself: its Wait would wait for
	// everybody who holds the output, and the exit would be told too late.
	srv.running.Go(func() {
		_, _ = io.Copy(pipes.stdin, s.channel)
		_ = pipes.stdin.Close()
		_, _ = io.Copy(io.Discard, s.channel) // it does not listen any more
	})
	for _, o := range []struct {
		to   io.Writer
		from *os.File
	}{{s.channel, pipes.stdout}, {s.channel.Stderr(), pipes.stderr}} {
		p.outputs.Add(1)
		srv.running.Go(func() {
			defer p.outputs.Done()
			_, _ = io.Copy(o.to, o.from)
			_ = o.from.Close() // if the client is gone, writing is an error
		})
	}
	p.unkill = context.AfterFunc(srv.ctx, func() {
		p.signal("KILL")
		pipes.closeOurs() // somebody else may hold the other ends
	})
	return p, nil
}

// signal sends a signal to the group; a name that is not known is ignored.
func (p *process) signal(name string) {
	if sig, ok := signals[name]; ok {
		_ = syscall.Kill(-p.cmd.Process.Pid, sig) // it may have ended
	}
}

// wait waits for the end of the command and returns the request that reports
// it (RFC 4254, 6.10).
func (p *process) wait() (name string, payload []byte) {
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "exit-status", ssh.Marshal(struct{ Status uint32 }{255})
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() {
		return "exit-status", ssh.Marshal(struct{ Status uint32 }{uint32(status.ExitStatus())})
	}
	report := struct {
		Signal  string
		Core    bool
		Message string
		Lang    string
	}{Signal: "KILL"}
	for n, sig := range signals {
		if sig == status.Signal() {
			report.Signal = n
		}
	}
	return "exit-signal", ssh.Marshal(report)
}

// drain waits until everybody who holds the outputs has let go of them.
func (p *process) drain() {
	p.outputs.Wait()
	p.unkill()
}

// pipes join a process to a channel.
type pipes struct {
	stdin, stdout, stderr *os.File // our ends
	theirs                []*os.File
}

func (p *pipes) open(cmd *exec.Cmd) error {
	for _, ours := range []**os.File{&p.stdin, &p.stdout, &p.stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			p.closeOurs()
			return err
		}
		if ours == &p.stdin {
			r, w = w, r
		}
		*ours = r
		p.theirs = append(p.theirs, w)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.theirs[0], p.theirs[1], p.theirs[2]
	return nil
}

func (p *pipes) closeTheirs() {
	for _, f := range p.theirs {
		_ = f.Close()
	}
}

func (p *pipes) closeOurs() {
	for _, f := range []*os.File{p.stdin, p.stdout, p.stderr} {
		if f != nil {
			_ = f.Close()
		}
	}
}
