// Package shell owns the task kind shell: a line for the host's shell.
//
// It never knows what the line means.
package shell

import (
	"context"
	"errors"
	"strings"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/process"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "shell", FreeForm: "cmd", Summary: "Runs a line in a shell of the host.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "The line goes to `/bin/sh -c`, or to the shell that `executable` names. A pipeline's status is that of its last\n" +
	"command: with `executable: /bin/bash` and `set -o pipefail` a failure before it counts, too. Give values to the\n" +
	"shell through the `quote` filter.\n\n" +
	"Returns, `changed`, check mode: as `command`; `cmd` is the line.\n\n" +
	"```yaml\n" +
	"- name: How big are the logs\n" +
	"  shell: du -s /var/log/*.log | sort -n | tail -1\n" +
	"  changed_when: false\n" +
	"```\n"

type task struct {
	Cmd        string `arg:"cmd,required" doc:"the line"`
	Executable string `arg:"executable" default:"/bin/sh" doc:"the shell, by its absolute path"`
	Chdir      string `arg:"chdir" doc:"the folder to run in"`
	Creates    string `arg:"creates" doc:"a glob; if it matches something the line does not run"`
	Removes    string `arg:"removes" doc:"a glob; if it matches nothing the line does not run"`
	Stdin      string `arg:"stdin" doc:"what the line's commands read"`
	AddNL      bool   `arg:"stdin_add_newline" default:"true" doc:"end stdin with a newline"`
	StripEnd   bool   `arg:"strip_empty_ends" default:"true" doc:"drop newlines at the end of stdout and stderr"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if strings.TrimSpace(t.Cmd) == "" {
		return errors.New("no command given")
	}
	if !strings.HasPrefix(t.Executable, "/") {
		return errors.New(`"executable" must be an absolute path`)
	}
	return nil
}

func (t *task) command() process.Command {
	c := process.Command{
		Argv: []string{t.Executable, "-c", t.Cmd}, Shown: t.Cmd,
		Dir: t.Chdir, Creates: t.Creates, Removes: t.Removes, KeepEnds: !t.StripEnd,
	}
	if t.Stdin != "" {
		c.Stdin = strings.NewReader(process.Stdin(t.Stdin, t.AddNL))
	}
	return c
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return process.Run(ctx, h, t.command())
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return process.Check(ctx, h, t.command())
}
