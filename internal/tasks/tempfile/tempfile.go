// Package tempfile owns the task kind tempfile.
//
// It never removes what it makes.
package tempfile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "tempfile", Summary: "Makes a private temporary file or folder on the host.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Each run makes a new one, and nobody removes it but the playbook. Returns `path`, `state`, `mode`, `owner`, `group`,\n" +
	"`uid`, `gid` and `size`.\n\n" +
	"```yaml\n" +
	"- tempfile: { state: directory, suffix: .restore }\n" +
	"  register: scratch\n" +
	"- file: { path: \"{{ scratch.path }}\", state: absent }\n" +
	"```\n"

type task struct {
	State  string `arg:"state" default:"file" choices:"file,directory" doc:"what to make"`
	Path   string `arg:"path" doc:"the folder to make it in; TMPDIR or /tmp if not given"`
	Prefix string `arg:"prefix" default:"ansible." doc:"how its name begins"`
	Suffix string `arg:"suffix" doc:"how its name ends"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if strings.Contains(t.Prefix+t.Suffix, "/") {
		return errors.New("prefix and suffix cannot hold a slash")
	}
	return nil
}

// makeScript runs mktemp. $1 is the folder, $2 the template, $3 -d
// or nothing.
const makeScript = `mktemp $3 -- "${1:-${TMPDIR:-/tmp}}/$2"`

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	option := ""
	if t.State == "directory" {
		option = "-d"
	}
	var out strings.Builder
	argv := append(conn.Shell(makeScript), "sh", t.Path, t.Prefix+"XXXXXXXX"+t.Suffix, option)
	if err := h.Conn.Run(ctx, conn.Cmd{Argv: argv, Stdout: &out}); err != nil {
		return tasks.Result{}, fmt.Errorf("make a temporary %s: %w", t.State, err)
	}
	path := strings.TrimSuffix(out.String(), "\n")
	facts, err := hostfile.Look(ctx, h, hostfile.Query{Path: path})
	outputs := facts.Outputs()
	outputs["path"] = path
	return tasks.Result{Changed: true, Outputs: outputs}, err
}

// Check implements tasks.Checker.
func (t *task) Check(context.Context, tasks.Host) (tasks.Result, error) {
	return tasks.Result{Changed: true, Note: "would make a temporary " + t.State, Outputs: map[string]any{"state": t.State}}, nil
}
