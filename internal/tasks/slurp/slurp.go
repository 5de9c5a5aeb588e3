// Package slurp owns the task kind slurp: a file of the host, as the source of
// a pipe or as a value.
//
// It never knows where a pipe puts the file.
package slurp

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/ends"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "slurp", Summary: "Reads a file of the host, for a pipe or into a variable.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "In a pipe it is a source: the file as it is. One that is written to meanwhile is refused. Of a database that is in use\n" +
	"that is no backup; use `sqlite_copy`.\n\n" +
	"Alone it returns `content` in base64, `encoding` and `source`. It changes nothing and runs in check mode, too.\n\n" +
	"```yaml\n" +
	"- slurp: { src: /opt/torrust/.env }\n" +
	"  register: env_file\n" +
	"  no_log: true\n" +
	"- debug: { msg: \"{{ env_file.content | b64decode }}\" }\n" +
	"```\n"

type task struct {
	Src string `arg:"src,required" alias:"path" doc:"the file on the host"`

	file ends.File // as a source
}

var (
	_ pipe.HostSource = (*task)(nil)
	_ pipe.Looker     = (*task)(nil)
	_ pipe.Estimator  = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
)

// HostStage implements pipe.HostSource.
func (t *task) HostStage(ctx context.Context, h tasks.Host) (helper.Stage, error) {
	t.file.Path = t.Src
	return t.file.HostStage(ctx, h)
}

// Accept implements pipe.HostSource.
func (t *task) Accept(ctx context.Context, h tasks.Host, report json.RawMessage, m helper.Measure) (pipe.Outcome, error) {
	return t.file.Accept(ctx, h, report, m)
}

// Estimate implements pipe.Estimator.
func (t *task) Estimate() int64 { return t.file.Estimate() }

// Origin implements pipe.HostSource.
func (t *task) Origin() string { return t.Src }

// Look implements pipe.Looker.
func (t *task) Look(ctx context.Context, h tasks.Host) error {
	return (&ends.File{Path: t.Src}).Look(ctx, h)
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	content, err := hostfile.Read(ctx, h, t.Src)
	if err != nil {
		return tasks.Result{}, err
	}
	return tasks.Result{Outputs: map[string]any{
		"content": base64.StdEncoding.EncodeToString(content), "encoding": "base64", "source": t.Src,
	}}, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
