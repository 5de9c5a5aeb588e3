package shell

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/torrust/runner/internal/conn"
)

// Starter starts a command line in the login user's shell on a host.
type Starter interface {
	Start(ctx context.Context, line string) (Process, error)
}

// Process is a command line that runs. Its streams belong to the caller.
type Process interface {
	Stdin() io.WriteCloser
	Stdout() io.Reader
	Stderr() io.Reader
	// Wait returns once the process has ended: nil, an *conn.ExitError, or
	// an error that wraps conn.ErrLost. It does not wait for the streams.
	Wait() error
	// Close gives the process up: its streams end, and Wait returns.
	Close() error
}

// The rungs of the ladder by which a command is ended.
const (
	termGrace  = 3 * time.Second
	killGrace  = 2 * time.Second
	closeGrace = 2 * time.Second
)

// Run runs c as b says. See [conn.Conn] for what it returns. When ctx ends,
// the command and its process group get SIGTERM, then SIGKILL, then its
// channel is closed; each rung has its bound.
func Run(ctx context.Context, s Starter, c conn.Cmd, b conn.Become) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	prompt := "[runner " + rand.Text() + "]"
	text, err := line(c, b, prompt)
	if err != nil {
		return err
	}
	p, err := s.Start(ctx, text)
	if err != nil {
		return err
	}
	r := &running{starter: s, cmd: c, become: b, p: p, in: &input{w: p.Stdin()}, started: make(chan struct{}), over: make(chan struct{}), tail: &tail{}}
	return r.run(ctx, prompt)
}

// running is one command.
type running struct {
	starter Starter
	cmd     conn.Cmd
	become  conn.Become
	p       Process
	in      *input

	started chan struct{} // closed when the command itself runs
	over    chan struct{} // closed when Run returns
	pid     string
	tail    *tail
}

func (r *running) run(ctx context.Context, prompt string) error {
	defer close(r.over)
	defer r.p.Close()
	var outputs sync.WaitGroup
	var outErr, errErr error
	outputs.Go(func() { outErr = r.stdout() })
	outputs.Go(func() { errErr = r.stderr(prompt) })
	go r.stdin() // ends with its reader, which nobody but its owner can end
	ended := make(chan error, 1)
	go func() {
		err := r.p.Wait()
		outputs.Wait()
		ended <- err
	}()
	select {
	case err := <-ended:
		return r.verdict(err, errors.Join(outErr, errErr))
	case <-ctx.Done():
	}
	r.end(ctx, ended)
	return context.Cause(ctx)
}

// verdict is what Run returns of a command that has ended by itself.
func (r *running) verdict(err, outputErr error) error {
	if exit, ok := errors.AsType[*conn.ExitError](err); ok && !r.hasStarted() && r.become != (conn.Become{}) {
		return fmt.Errorf("become %s with %s: %s", r.become.User, r.become.Method, becomeFailure(r.tail.text(), exit))
	}
	if outputErr != nil && !errors.Is(err, conn.ErrLost) {
		return outputErr
	}
	if exit, ok := errors.AsType[*conn.ExitError](err); ok && r.cmd.Stderr == nil {
		exit.Stderr = r.tail.text()
	}
	return err
}

func becomeFailure(said string, exit *conn.ExitError) string {
	if said == "" {
		return exit.Error()
	}
	if strings.Contains(said, "a password is required") {
		return said + "; give it with -K, or as ansible_become_password"
	}
	return said
}

func (r *running) hasStarted() bool {
	select {
	case <-r.started:
		return true
	default:
		return false
	}
}

// stdout takes the process ID off the first line and passes on the rest.
func (r *running) stdout() error {
	out := orDiscard(r.cmd.Stdout)
	buf := make([]byte, 32<<10)
	var first []byte
	for {
		n, err := r.p.Stdout().Read(buf)
		data := buf[:n]
		if !r.hasStarted() && n > 0 {
			first = append(first, data...)
			at := bytes.IndexByte(first, '\n')
			if at < 0 && len(first) < 64 {
				data = nil
			} else {
				at = max(at, 0)
				r.pid = string(bytes.TrimSpace(first[:at]))
				data = first[at+1:]
				close(r.started)
			}
		}
		if len(data) > 0 {
			if _, werr := out.Write(data); werr != nil {
				_, _ = io.Copy(io.Discard, r.p.Stdout()) // so that the command can end
				return werr
			}
		}
		if err != nil {
			return nil // how the command ended is Wait's to say
		}
	}
}

// stderr answers the prompt for a password, and passes on the rest.
func (r *running) stderr(prompt string) error {
	out := io.MultiWriter(orDiscard(r.cmd.Stderr), r.tail)
	answered := false
	var held []byte
	buf := make([]byte, 16<<10)
	for {
		n, err := r.p.Stderr().Read(buf)
		held = append(held, buf[:n]...)
		if r.become.Password != "" && !r.hasStarted() {
			if at := bytes.Index(held, []byte(prompt)); at >= 0 {
				held = append(held[:at:at], held[at+len(prompt):]...)
				if answered {
					r.in.close() // wrong: sudo gives up at the end of its input
				} else {
					answered = true
					_, _ = io.WriteString(r.in, r.become.Password+"\n") // a lost link shows in Wait
				}
			}
		}
		keep := 0
		if r.become.Password != "" && !r.hasStarted() && err == nil {
			keep = promptPrefix(held, prompt)
		}
		if pass := held[:len(held)-keep]; len(pass) > 0 {
			if _, werr := out.Write(pass); werr != nil {
				_, _ = io.Copy(io.Discard, r.p.Stderr())
				return werr
			}
		}
		held = append([]byte(nil), held[len(held)-keep:]...)
		if err != nil {
			return nil
		}
	}
}

// promptPrefix returns how many bytes at the end of held may be the beginning
// of the prompt.
func promptPrefix(held []byte, prompt string) int {
	for n := min(len(held), len(prompt)-1); n > 0; n-- {
		if strings.HasPrefix(prompt, string(held[len(held)-n:])) {
			return n
		}
	}
	return 0
}

// stdin feeds the command once it runs: before that sudo would read it.
func (r *running) stdin() {
	if r.become.Password != "" {
		select {
		case <-r.started:
		case <-r.over:
			return
		}
	}
	if r.cmd.Stdin != nil {
		_, _ = io.Copy(r.in, r.cmd.Stdin) // a command need not read all of it
	}
	r.in.close()
}

// end is the ladder.
func (r *running) end(ctx context.Context, ended <-chan error) {
	ctx = context.WithoutCancel(ctx)
	r.in.close()
	for _, rung := range []struct {
		signal string
		grace  time.Duration
	}{{"TERM", termGrace}, {"KILL", killGrace}} {
		r.signal(ctx, rung.signal)
		if within(ended, rung.grace) {
			return
		}
	}
	_ = r.p.Close()
	within(ended, closeGrace)
}

func within(ended <-chan error, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ended:
		return true
	case <-timer.C:
		return false
	}
}

// signalScript sends a signal to the process group of a process: the command
// and what it started in the foreground. Field 5 of /proc/PID/stat is the
// group, see proc(5); the name in field 2 may hold blanks.
const signalScript = `s=$(cat /proc/"$2"/stat 2>/dev/null) || exit 0; set -- "$1" "$2" ${s##*) }; kill -s "$1" -- -"$5" 2>/dev/null || kill -s "$1" "$2"`

// signal sends a signal, with a command of its own as the same user.
func (r *running) signal(ctx context.Context, name string) {
	if !r.hasStarted() || strings.Trim(r.pid, "0123456789") != "" || r.pid == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeGrace)
	defer cancel()
	text, err := line(conn.Cmd{Argv: append(conn.Shell(signalScript), "sh", name, r.pid)}, r.become, "")
	if err != nil {
		return
	}
	p, err := r.starter.Start(ctx, text)
	if err != nil {
		return // the next rung closes the channel
	}
	defer p.Close()
	if r.become.Password != "" {
		_, _ = io.WriteString(p.Stdin(), r.become.Password+"\n")
	}
	_ = p.Stdin().Close()
	done := make(chan error, 1)
	go func() {
		_, _ = io.Copy(io.Discard, p.Stdout())
		done <- p.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if extra := len(t.buf) - tailSize; extra > 0 {
		t.buf = t.buf[extra:]
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
