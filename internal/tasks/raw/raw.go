// Package raw owns the task kind raw: a line for the login shell of the host.
//
// It never knows what the line means.
package raw

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
		Name: "raw", FreeForm: "cmd", Summary: "Runs a line in a shell of the host, without more ado.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "As `shell`, without its parameters. In Ansible it needs no Python on the host; here no kind does.\n\n" +
	"```yaml\n" +
	"- raw: cat /etc/os-release\n" +
	"  changed_when: false\n" +
	"```\n"

type task struct {
	Cmd        string `arg:"cmd,required" doc:"the line"`
	Executable string `arg:"executable" default:"/bin/sh" doc:"the shell, by its absolute path"`
}

var _ tasks.Validator = (*task)(nil)

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

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return process.Run(ctx, h, process.Command{Argv: []string{t.Executable, "-c", t.Cmd}, Shown: t.Cmd, KeepEnds: true})
}
