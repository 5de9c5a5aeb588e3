// Package assert owns the task kind assert: conditions that must hold.
//
// It never touches the host.
package assert

import (
	"context"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "assert", Summary: "Fails unless every condition holds.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "`that` is one expression or a list of them, without `{{ }}`. The first that does not hold fails the task, and is\n" +
	"returned as `assertion`. A text is a condition only if it says yes or no.\n\n" +
	"```yaml\n" +
	"- assert:\n" +
	"    that:\n" +
	"      - db.size > 4096\n" +
	"      - db.proofs | map(attribute='result') | unique == ['passed']\n" +
	"    fail_msg: the database of {{ inventory_hostname }} is not proven\n" +
	"```\n"

type task struct {
	That       []tasks.Expr `arg:"that,required" doc:"the conditions"`
	FailMsg    any          `arg:"fail_msg" alias:"msg" doc:"what to say if one does not hold; a text or a list of texts"`
	SuccessMsg any          `arg:"success_msg" doc:"what to say if all hold"`
	Quiet      bool         `arg:"quiet" doc:"return only the message"`
}

var _ tasks.Checker = (*task)(nil)

// Run implements tasks.Task.
func (t *task) Run(context.Context, tasks.Host) (tasks.Result, error) {
	for _, that := range t.That {
		ok, err := that.True()
		if err != nil {
			return tasks.Result{}, err
		}
		if ok {
			continue
		}
		msg := text(t.FailMsg, "Assertion failed")
		out := map[string]any{"assertion": that.Text, "evaluated_to": false, "msg": orDefault(t.FailMsg, msg)}
		return tasks.Result{Outputs: out}, fmt.Errorf("%s: %s", msg, that.Text)
	}
	return tasks.Result{Outputs: map[string]any{"msg": orDefault(t.SuccessMsg, "All assertions passed")}}, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }

func orDefault(v any, fallback string) any {
	if v == nil {
		return fallback
	}
	return v
}

// text returns a message as one line.
func text(v any, fallback string) string {
	items, ok := v.([]any)
	if !ok {
		return fmt.Sprint(orDefault(v, fallback))
	}
	parts := make([]string, len(items))
	for i, item := range items {
		parts[i] = fmt.Sprint(item)
	}
	return strings.Join(parts, " ")
}
