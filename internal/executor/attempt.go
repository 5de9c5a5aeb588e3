package executor

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/template"
)

// The defaults of until, as in Ansible.
const (
	defaultRetries = 3
	defaultDelay   = 5
)

// attempts runs the task until it is done, as until, retries and delay say.
func (w *walk) attempts(ctx context.Context, t *plan.Task, s *scope) outcome {
	if t.Retry == nil {
		return w.attempt(ctx, t, s)
	}
	retries, err := w.number(ctx, "retries", t.Retry.Retries, s, defaultRetries)
	if err != nil {
		return outcome{result: notBegun(err), err: err}
	}
	delay, err := w.number(ctx, "delay", t.Retry.Delay, s, defaultDelay)
	if err != nil {
		return outcome{result: notBegun(err), err: err}
	}
	left := max(0, int(retries))
	for n := 1; ; n++ {
		o := w.attempt(ctx, t, s)
		done, err := w.done(ctx, t, s, o)
		o.result["attempts"] = int64(n)
		if err != nil {
			o.err = err
			return o
		}
		if _, lost := connectionFailure(o.err); done || lost || context.Cause(ctx) != nil {
			return o
		}
		if left == 0 {
			if o.err == nil {
				o.err = fmt.Errorf("the condition of until does not hold after %d attempts", n)
				o.result["msg"] = o.err.Error()
			}
			o.result["failed"] = true
			return o
		}
		w.emit(event.Retrying{Time: w.o.Now(), Host: w.host.Name, Task: w.describe(t), Left: left})
		left--
		if err := sleep(ctx, time.Duration(delay*float64(time.Second))); err != nil {
			o.err = err
			return o
		}
	}
}

// done tells whether nothing more is to be tried.
func (w *walk) done(ctx context.Context, t *plan.Task, s *scope, o outcome) (bool, error) {
	if o.skipped {
		return true, nil
	}
	if len(t.Retry.Until) == 0 {
		return o.err == nil, nil
	}
	if context.Cause(ctx) != nil {
		return true, nil
	}
	why, err := w.conditions(ctx, t.Retry.Until, s.with(t.Register, o.result))
	return why == "", err
}

// sleep waits, or returns the cause of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// attempt runs the task once.
func (w *walk) attempt(ctx context.Context, t *plan.Task, s *scope) outcome {
	k, err := w.settle(ctx, t, s)
	if err != nil {
		return outcome{result: notBegun(err), err: err}
	}
	bound, err := t.Bind(&evaluator{ctx: ctx, engine: w.o.Engine, scope: s})
	if err != nil {
		return outcome{result: notBegun(err), err: err, quiet: k.noLog}
	}
	if k.throttle > 0 {
		release, err := w.throttle(ctx, t, k.throttle)
		if err != nil {
			return outcome{result: notBegun(err), err: err, quiet: k.noLog}
		}
		defer release()
	}
	taskCtx := ctx
	if k.timeout > 0 {
		var cancel context.CancelFunc
		taskCtx, cancel = context.WithTimeoutCause(ctx, k.timeout, fmt.Errorf("task timed out after %s", k.timeout))
		defer cancel()
	}
	e := w.describe(t)
	h, end, err := w.access(taskCtx, t, s, k, e)
	if err != nil {
		return outcome{result: notBegun(err), err: err, quiet: k.noLog}
	}
	r, err := call(taskCtx, bound, h, k.check)
	end()
	if cause := context.Cause(taskCtx); cause != nil && context.Cause(ctx) == nil && err != nil {
		err = cause
	}
	o := w.judge(ctx, t, s, r, err)
	o.quiet = k.noLog
	return o
}

// call runs the task, or what it does in check mode. A panic is a mistake of
// ours that must not take the other hosts down.
func call(ctx context.Context, t tasks.Task, h tasks.Host, check bool) (r tasks.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			h.Warn(string(debug.Stack()))
			r, err = tasks.Result{}, bug("panic", v)
		}
	}()
	if !check {
		return t.Run(ctx, h)
	}
	if c, ok := t.(tasks.Checker); ok {
		return c.Check(ctx, h)
	}
	return tasks.Result{Skipped: true, Note: "not run in check mode: what it would do cannot be known"}, nil
}

// access makes all that the task may touch. end must be called when the task
// has returned: it passes on what has no newline at its end.
func (w *walk) access(ctx context.Context, t *plan.Task, s *scope, k settings, e event.Task) (h tasks.Host, end func(), err error) {
	c, helper, err := w.reach(ctx, t, s, k)
	if err != nil {
		return h, nil, err
	}
	stdout, stderr := w.output(e, "stdout", k.noLog), w.output(e, "stderr", k.noLog)
	progress := &progress{walk: w, task: e}
	h = tasks.Host{
		Name: w.host.Name, Conn: c, Helper: helper,
		Set:    func() (*catalog.Set, error) { return w.beginSet(w.host, c.Peer()) },
		Find:   finder(t, w.Dir),
		Expand: func(text string) (string, error) { return s.expandText(ctx, w.o.Engine, text) },
		Render: func(text string, o template.RenderOptions) (string, error) { return w.o.Engine.Render(ctx, text, s, o) },
		Stdout: stdout, Stderr: stderr,
		Progress:  progress.tell,
		Kept:      func(a catalog.Artifact) { w.kept(w.host, e, a) },
		Warn:      func(text string) { w.warn(w.host, text) },
		Leave:     w.host.leaveOpen,
		Take:      w.host.take,
		Diff:      k.diff && !k.noLog,
		Verbosity: w.o.Verbosity,
	}
	return h, func() { stdout.end(); stderr.end() }, nil
}
