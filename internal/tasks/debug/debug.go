// Package debug owns the task kind debug: it shows a text or a value.
//
// It never touches the host.
package debug

import (
	"context"
	"errors"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/template"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "debug", Summary: "Shows a text or the value of an expression.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Shows `msg`, or the value of `var`, which is an expression without `{{ }}`. It changes nothing and runs in check\n" +
	"mode, too.\n\n" +
	"```yaml\n" +
	"- debug: { msg: \"{{ inventory_hostname }} has {{ db.size }} bytes\" }\n" +
	"- debug: { var: db.proofs, verbosity: 1 }\n" +
	"```\n"

type task struct {
	Msg       any        `arg:"msg" doc:"what to show"`
	Var       tasks.Expr `arg:"var" doc:"an expression whose value is shown"`
	Verbosity int        `arg:"verbosity" default:"0" doc:"show it only if -v was given so many times"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if t.Msg != nil && t.Var.Text != "" {
		return errors.New(`give "msg" or "var", not both`)
	}
	return nil
}

// Run implements tasks.Task.
func (t *task) Run(_ context.Context, h tasks.Host) (tasks.Result, error) {
	switch {
	case h.Verbosity < t.Verbosity:
		return tasks.Result{Skipped: true, Note: "Verbosity threshold not met.", Outputs: map[string]any{}}, nil
	case t.Var.Text != "":
		v, err := t.Var.Value()
		if _, undefined := errors.AsType[*template.UndefinedError](err); undefined {
			v, err = "VARIABLE IS NOT DEFINED!", nil
		}
		return tasks.Result{Outputs: map[string]any{t.Var.Text: v}}, err
	case t.Msg == nil:
		return tasks.Result{Outputs: map[string]any{"msg": "Hello world!"}}, nil
	}
	return tasks.Result{Outputs: map[string]any{"msg": t.Msg}}, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
