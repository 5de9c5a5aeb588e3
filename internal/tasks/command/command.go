// Package command owns the task kind command: a program run without a shell.
//
// It never knows how the program's words reach the host.
package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/shlex"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/process"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "command", FreeForm: "cmd", Summary: "Runs a program on the host, without a shell.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = `The line is split into words as a shell would, but no shell runs: pipes, redirections and globs mean
nothing. Use ` + "`shell`" + ` for those. As in Ansible ` + "`$NAME` and `~`" + ` in the words are expanded all the same; a variable that
is not set stays as it is written.

Returns ` + "`cmd`, `rc`, `stdout`, `stderr`, `stdout_lines`, `stderr_lines`, `start`, `end`, `delta` and `msg`" + `. A non-zero
` + "`rc`" + ` is a failure unless ` + "`failed_when`" + ` says otherwise. Times are those of the controller's clock.

The task is always ` + "`changed`" + `, since what a program does cannot be known; say ` + "`changed_when: false`" + ` for one that
only looks. In check mode it is skipped, unless ` + "`creates` or `removes`" + ` tells what would happen.

` + "```yaml" + `
- name: How long is the host up
  command: uptime -p
  changed_when: false

- name: Unpack once
  command:
    argv: [tar, -xf, /tmp/my archive.tar]
    chdir: /opt/app
    creates: /opt/app/VERSION
` + "```\n"

type task struct {
	Cmd      string   `arg:"cmd" doc:"the program and its words, as one line"`
	Argv     []string `arg:"argv" doc:"the program and its words, as a list"`
	Chdir    string   `arg:"chdir" doc:"the folder to run in"`
	Creates  string   `arg:"creates" doc:"a glob; if it matches something the program does not run"`
	Removes  string   `arg:"removes" doc:"a glob; if it matches nothing the program does not run"`
	Stdin    string   `arg:"stdin" doc:"what the program reads"`
	AddNL    bool     `arg:"stdin_add_newline" default:"true" doc:"end stdin with a newline"`
	Expand   bool     `arg:"expand_argument_vars" default:"true" doc:"expand environment variables of the host and a leading ~ in the words"`
	StripEnd bool     `arg:"strip_empty_ends" default:"true" doc:"drop newlines at the end of stdout and stderr"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	_, err := t.words()
	return err
}

func (t *task) words() ([]string, error) {
	switch {
	case t.Cmd != "" && len(t.Argv) > 0:
		return nil, errors.New(`give "cmd" or "argv", not both`)
	case len(t.Argv) > 0:
		return t.Argv, nil
	}
	words, err := shlex.Split(t.Cmd, shlex.Options{})
	if err != nil {
		return nil, fmt.Errorf("%q: %w", t.Cmd, err)
	}
	if len(words) == 0 {
		return nil, errors.New("no command given")
	}
	return words, nil
}

func (t *task) command() (process.Command, error) {
	words, err := t.words()
	shown := make([]any, len(words))
	for i, w := range words {
		shown[i] = w
	}
	c := process.Command{
		Argv: words, Shown: shown, Dir: t.Chdir, Creates: t.Creates, Removes: t.Removes, KeepEnds: !t.StripEnd,
	}
	if line, ok := expanding(words); ok && t.Expand {
		c.Argv = conn.Shell(line)
	}
	if t.Stdin != "" {
		c.Stdin = strings.NewReader(process.Stdin(t.Stdin, t.AddNL))
	}
	return c, err
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	c, err := t.command()
	if err != nil {
		return tasks.Result{}, err
	}
	return process.Run(ctx, h, c)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	c, err := t.command()
	if err != nil {
		return tasks.Result{}, err
	}
	return process.Check(ctx, h, c)
}
