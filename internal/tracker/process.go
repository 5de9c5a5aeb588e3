package tracker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// stopPatience is how long a tracker may take for its last write.
const stopPatience = 10 * time.Second

// Process is a simulated tracker that runs.
type Process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr strings.Builder
}

// Start starts a tracker and waits until it has its database open. The
// tracker ends with stop, with ctx, or with this process: its standard input
// is closed then.
func Start(ctx context.Context, command []string, database, ledger string) (*Process, error) {
	args := append(append([]string(nil), command[1:]...), database, ledger)
	p := &Process{cmd: exec.CommandContext(ctx, command[0], args...)}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = stopPatience
	// Not in the terminal's group: Ctrl-C is for us, we then stop it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a simulated tracker: %w", err)
	}
	p.stdin, p.stdout = stdin, bufio.NewReader(stdout)
	if _, err := p.stdout.ReadString('\n'); err != nil {
		return nil, p.failed(err)
	}
	return p, nil
}

// Mark starts the statistics anew.
func (p *Process) Mark() { _, _ = io.WriteString(p.stdin, "mark\n") } // if it is gone, stop tells

// Stop ends the tracker and returns what it has seen. A second call returns
// an error.
func (p *Process) Stop() (Stats, error) {
	var s Stats
	_ = p.stdin.Close()
	if err := json.NewDecoder(p.stdout).Decode(&s); err != nil {
		return Stats{}, p.failed(err)
	}
	if err := p.cmd.Wait(); err != nil {
		return Stats{}, fmt.Errorf("the simulated tracker: %w", err)
	}
	return s, nil
}

// Kill ends the tracker if it still runs.
func (p *Process) Kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// failed says why the tracker has ended.
func (p *Process) failed(err error) error {
	_ = p.stdin.Close()
	_ = p.cmd.Process.Kill()
	if waitErr := p.cmd.Wait(); errors.Is(err, io.EOF) && waitErr != nil {
		err = waitErr
	}
	if text := strings.TrimSpace(p.stderr.String()); text != "" {
		return fmt.Errorf("the simulated tracker: %w: %s", err, text)
	}
	return fmt.Errorf("the simulated tracker: %w", err)
}
