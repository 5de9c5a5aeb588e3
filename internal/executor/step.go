package executor

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/tasks"
)

// outcome is how a task, or one item of its loop, has ended on a host.
type outcome struct {
	result  map[string]any // what register gets
	err     error          // nil if it did not fail
	changed bool
	skipped bool
	ignored bool // failed, and ignore_errors or ignore_unreachable says to go on
	looped  bool
	quiet   bool // no_log
	note    string
	diff    string
	facts   map[string]any
}

// status says how an outcome is shown and counted. rescues tells whether a
// rescue section takes over a failure.
func (o outcome) status(ctx context.Context, rescues bool) event.Status {
	switch {
	case o.err == nil && o.skipped:
		return event.Skipped
	case o.err == nil && o.changed:
		return event.Changed
	case o.err == nil:
		return event.OK
	case o.ignored:
		return event.Ignored
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(o.err, cause) {
		return event.Interrupted
	}
	if status, ok := connectionFailure(o.err); ok {
		return status
	}
	if rescues {
		return event.Rescued
	}
	return event.Failed
}

// step does one task on the host and tells about it.
func (w *walk) step(ctx context.Context, t *plan.Task, lead bool) flow {
	began := w.o.Now()
	w.tellTask(t)
	s := w.scope(t)
	once, err := w.flag(ctx, t.Keywords.RunOnce, s, false)
	if lead && !once && t.Keywords.RunOnce != nil {
		w.once.waive(t)
	}
	if err != nil {
		return w.finish(ctx, t, outcome{result: notBegun(err), err: err}, began)
	}
	if !once {
		return w.finish(ctx, t, w.do(ctx, t, s), began)
	}
	o, first, err := w.once.do(ctx, t, lead, func() outcome { return w.do(ctx, t, s) })
	if err != nil {
		w.interrupt()
		return interrupted
	}
	if !first {
		// What one host has done holds for all, and is told once.
		w.keep(ctx, t, o)
		return w.next(ctx, o)
	}
	return w.finish(ctx, t, o, began)
}

// do runs the task, or each item of its loop.
func (w *walk) do(ctx context.Context, t *plan.Task, s *scope) outcome {
	w.emit(event.StepStarted{Time: w.o.Now(), Host: w.host.Name, Task: w.describe(t)})
	var o outcome
	if t.Loop != nil {
		o = w.loop(ctx, t, s)
	} else {
		o = w.single(ctx, t, s)
	}
	if o.err != nil {
		o.ignored = w.ignores(ctx, t, s, o.err)
	}
	return o
}

// ignores tells whether the task says to go on after err.
func (w *walk) ignores(ctx context.Context, t *plan.Task, s *scope, err error) bool {
	if context.Cause(ctx) != nil {
		return false
	}
	keyword := t.Keywords.IgnoreErrors
	if _, lost := connectionFailure(err); lost {
		keyword = t.Keywords.IgnoreUnreachable
	}
	ignore, flagErr := w.flag(ctx, keyword, s, false)
	return flagErr == nil && ignore
}

// finish keeps and tells an outcome, and says how the host goes on.
func (w *walk) finish(ctx context.Context, t *plan.Task, o outcome, began time.Time) flow {
	w.keep(ctx, t, o)
	status := o.status(ctx, w.rescues > 0)
	e := w.report(ctx, t, o, status)
	e.Took = e.Time.Sub(began)
	w.emit(e)
	w.host.tell(status, o.changed)
	f := w.next(ctx, o)
	if f == failed {
		w.failure = &failure{task: t.Name, result: o.result}
		if fatal, err := w.flag(ctx, t.Keywords.AnyErrorsFatal, w.scope(t), false); err == nil && fatal && w.rescues == 0 {
			w.stop(true)
		}
	}
	return f
}

// next says how the host goes on after an outcome.
func (w *walk) next(ctx context.Context, o outcome) flow {
	switch o.status(ctx, false) {
	case event.Failed:
		return failed
	case event.Unreachable, event.Unknown:
		return gone
	case event.Interrupted:
		return interrupted
	}
	return goOn
}

// keep remembers what a task has left for later ones.
func (w *walk) keep(ctx context.Context, t *plan.Task, o outcome) {
	learned := map[string]any{}
	maps.Copy(learned, o.facts)
	if t.Register != "" {
		learned[t.Register] = o.result
	}
	if len(learned) > 0 {
		w.learnOn(ctx, t, learned, o.facts)
	}
	if o.changed && o.err == nil {
		w.notify(ctx, t)
	}
}

// single runs the task once: conditions, then attempts.
func (w *walk) single(ctx context.Context, t *plan.Task, s *scope) outcome {
	why, err := w.conditions(ctx, t.When, s)
	if err != nil {
		return outcome{result: notBegun(err), err: err}
	}
	if why != "" {
		return outcome{skipped: true, result: map[string]any{
			"changed": false, "skipped": true, "skip_reason": "Conditional result was False", "false_condition": why,
		}}
	}
	return w.attempts(ctx, t, s)
}

// conditions returns the first condition that does not hold, empty if all do.
func (w *walk) conditions(ctx context.Context, when []plan.Expr, s *scope) (string, error) {
	for _, e := range when {
		ok, err := w.o.Engine.Bool(ctx, e.Text, s)
		if err != nil {
			return "", &conditionError{e, err}
		}
		if !ok {
			return e.Text, nil
		}
	}
	return "", nil
}

// judge makes an outcome of what a task has returned, by changed_when and
// failed_when.
func (w *walk) judge(ctx context.Context, t *plan.Task, s *scope, r tasks.Result, err error) outcome {
	o := outcome{err: err, changed: r.Changed && !r.Skipped, skipped: r.Skipped, note: r.Note, diff: r.Diff, facts: r.Facts}
	o.result = maps.Clone(r.Outputs)
	if o.result == nil {
		o.result = map[string]any{}
	}
	if context.Cause(ctx) == nil {
		if _, lost := connectionFailure(err); !lost {
			w.overrule(ctx, t, s, &o)
		}
	}
	o.result["changed"], o.result["failed"] = o.changed, o.err != nil
	if o.skipped {
		o.result["skipped"] = true
		o.result["skip_reason"] = r.Note
	}
	if o.err != nil {
		if text, _ := o.result["msg"].(string); text == "" {
			o.result["msg"] = o.err.Error()
		}
		if _, lost := connectionFailure(o.err); lost {
			o.result["unreachable"] = true
			delete(o.result, "failed")
		}
	}
	if len(o.facts) > 0 {
		o.result["ansible_facts"] = o.facts
	}
	return o
}

// overrule applies changed_when and failed_when, which see the result as the
// task left it.
func (w *walk) overrule(ctx context.Context, t *plan.Task, s *scope, o *outcome) {
	if o.skipped {
		return
	}
	seen := func() *scope {
		o.result["changed"], o.result["failed"] = o.changed, o.err != nil
		return s.with(t.Register, o.result)
	}
	if t.ChangedWhen != nil {
		why, err := w.conditions(ctx, t.ChangedWhen, seen())
		if err != nil {
			o.err = err
			return
		}
		o.changed = why == ""
	}
	if t.FailedWhen == nil {
		return
	}
	why, err := w.conditions(ctx, t.FailedWhen, seen())
	o.result["failed_when_result"] = why == ""
	switch {
	case err != nil:
		o.err = err
	case why != "":
		o.err = nil
	case o.err == nil:
		o.err = errFailedWhen
	}
}

var errFailedWhen = errors.New("failed_when says that it failed")

// conditionError names the condition that could not be evaluated.
type conditionError struct {
	expr plan.Expr
	err  error
}

func (e *conditionError) Error() string {
	return "the condition '" + e.expr.Text + "' (" + e.expr.Pos.String() + "): " + e.err.Error()
}

func (e *conditionError) Unwrap() error { return e.err }

// notBegun is the result of a task that failed before it ran.
func notBegun(err error) map[string]any {
	return map[string]any{"changed": false, "failed": true, "msg": err.Error()}
}
