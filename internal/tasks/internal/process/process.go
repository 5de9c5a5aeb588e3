// Package process owns running a command on a host and reporting it as
// Ansible's command, shell, script and raw do.
//
// It never knows how the command came to be.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Command is a command to run once.
type Command struct {
	Argv  []string
	Shown any    // cmd in the result: the words, or the line of a shell
	Dir   string // chdir
	Stdin io.Reader
	// Creates and Removes are globs on the host: the command does not run
	// if the first exists, or the second does not.
	Creates, Removes string
	KeepEnds         bool // newlines at the end of the output stay
}

// maxOutput is how much of each stream is kept for register.
const maxOutput = 16 << 20

// home replaces a leading ~ of the paths.
func (c *Command) home(ctx context.Context, h tasks.Host) error {
	for _, path := range []*string{&c.Dir, &c.Creates, &c.Removes} {
		var err error
		if *path, err = hostfile.Home(ctx, h, *path); err != nil {
			return err
		}
	}
	return nil
}

// Run runs the command. A non-zero exit is a *conn.ExitError; the result is
// complete even so.
func Run(ctx context.Context, h tasks.Host, c Command) (tasks.Result, error) {
	if why, err := c.Needless(ctx, h); err != nil || why != "" {
		return c.NotRun(why), err
	}
	stdout, stderr := &capture{to: h.Stdout}, &capture{to: h.Stderr}
	start := time.Now()
	err := h.Conn.Run(ctx, conn.Cmd{Argv: c.Argv, Dir: c.Dir, Stdin: c.Stdin, Stdout: stdout, Stderr: stderr})
	end := time.Now()
	out := map[string]any{
		"cmd": c.Shown, "start": timestamp(start), "end": timestamp(end), "delta": delta(end.Sub(start)), "msg": "", "rc": int64(0),
	}
	for name, s := range map[string]*capture{"stdout": stdout, "stderr": stderr} {
		text := s.text(c.KeepEnds)
		out[name], out[name+"_lines"] = text, lines(text)
		if s.dropped > 0 {
			h.Warn(fmt.Sprintf("only the first %s of %s are kept, %s are dropped", tasks.Size(maxOutput), name, tasks.Size(s.dropped)))
		}
	}
	result := tasks.Result{Changed: true, Outputs: out}
	if exit, ok := errors.AsType[*conn.ExitError](err); ok {
		out["rc"], out["msg"] = code(exit), "non-zero return code"
		if exit.Stderr == "" {
			exit = &conn.ExitError{Code: exit.Code, Signal: exit.Signal, Stderr: lastLine(stderr.text(false))}
		}
		return result, exit
	}
	return result, err
}

// Check tells whether Run would run the command, as far as creates and
// removes say. Without them the task is skipped: what a command does cannot
// be known.
func Check(ctx context.Context, h tasks.Host, c Command) (tasks.Result, error) {
	why, err := c.Needless(ctx, h)
	if err != nil || why != "" {
		return c.NotRun(why), err
	}
	r := c.NotRun("Command would have run if not in check mode")
	r.Skipped = c.Creates == "" && c.Removes == ""
	r.Changed = !r.Skipped
	return r, nil
}

// Needless says why the command need not run; empty if it must. It resolves
// the paths of c on the way.
func (c *Command) Needless(ctx context.Context, h tasks.Host) (string, error) {
	if err := c.home(ctx, h); err != nil {
		return "", err
	}
	if c.Creates != "" {
		exists, err := c.exists(ctx, h, c.Creates)
		if err != nil || exists {
			return fmt.Sprintf("Did not run command since '%s' exists", c.Creates), err
		}
	}
	if c.Removes != "" {
		exists, err := c.exists(ctx, h, c.Removes)
		if err != nil || !exists {
			return fmt.Sprintf("Did not run command since '%s' does not exist", c.Removes), err
		}
	}
	return "", nil
}

// anyMatch exits with 0 if the glob $1 matches, 3 if not. With an empty IFS
// the unquoted word is not split, but still expanded.
const anyMatch = `IFS=; for f in $1; do if [ -e "$f" ] || [ -L "$f" ]; then exit 0; fi; done; exit 3`

func (c Command) exists(ctx context.Context, h tasks.Host, glob string) (bool, error) {
	err := h.Conn.Run(ctx, conn.Cmd{Argv: append(conn.Shell(anyMatch), "sh", glob), Dir: c.Dir})
	if exit, ok := errors.AsType[*conn.ExitError](err); ok && exit.Code == 3 {
		return false, nil
	}
	return err == nil, err
}

// NotRun is the result of a command that has not run.
func (c Command) NotRun(why string) tasks.Result {
	stdout := ""
	if since, ok := strings.CutPrefix(why, "Did not run command "); ok {
		stdout = "skipped, " + strings.ReplaceAll(since, "'", "")
	}
	return tasks.Result{Note: why, Outputs: map[string]any{
		"cmd": c.Shown, "rc": int64(0), "stdout": stdout, "stderr": "", "stdout_lines": lines(stdout), "stderr_lines": []any{},
		"start": nil, "end": nil, "delta": nil, "msg": why,
	}}
}
