// Package fail owns the task kind fail.
//
// It never touches the host.
package fail

import (
	"context"
	"errors"

	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "fail", Summary: "Fails with a message.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Useful with `when`. It fails in check mode, too.\n\n" +
	"```yaml\n" +
	"- fail: { msg: \"this host has no database\" }\n" +
	"  when: not db_file.stat.exists\n" +
	"```\n"

type task struct {
	Msg string `arg:"msg" default:"Failed as requested from task" doc:"what to say"`
}

var _ tasks.Checker = (*task)(nil)

// Run implements tasks.Task.
func (t *task) Run(context.Context, tasks.Host) (tasks.Result, error) {
	return tasks.Result{Outputs: map[string]any{"msg": t.Msg}}, errors.New(t.Msg)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
