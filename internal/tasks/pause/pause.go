// Package pause owns the task kind pause.
//
// It never touches the host.
package pause

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "pause", Summary: "Waits for a time.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Nobody is asked anything: a run need not have a terminal. `prompt` is shown. Returns `start`, `stop` and `delta` in\n" +
	"seconds. In check mode it does not wait.\n\n" +
	"```yaml\n" +
	"- pause: { seconds: 10, prompt: let the tracker settle }\n" +
	"```\n"

type task struct {
	Seconds float64 `arg:"seconds" doc:"how long"`
	Minutes float64 `arg:"minutes" doc:"how long, in place of seconds"`
	Prompt  string  `arg:"prompt" doc:"a text to show"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.Seconds != 0 && t.Minutes != 0:
		return errors.New(`give "seconds" or "minutes", not both`)
	case t.Seconds < 0 || t.Minutes < 0:
		return errors.New("a time cannot be negative")
	case t.Seconds == 0 && t.Minutes == 0:
		return errors.New("pause needs seconds or minutes; waiting for a person is not supported")
	}
	return nil
}

func (t *task) time() time.Duration {
	return time.Duration((t.Seconds + 60*t.Minutes) * float64(time.Second))
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, _ tasks.Host) (tasks.Result, error) {
	start := time.Now()
	timer := time.NewTimer(t.time())
	defer timer.Stop()
	var err error
	select {
	case <-timer.C:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return t.result(start, time.Now()), err
}

func (t *task) result(start, stop time.Time) tasks.Result {
	const layout = "2006-01-02 15:04:05.000000"
	return tasks.Result{Note: t.Prompt, Outputs: map[string]any{
		"start": start.Format(layout), "stop": stop.Format(layout), "delta": int64(stop.Sub(start).Seconds()),
		"stdout": fmt.Sprintf("Paused for %.2f seconds", stop.Sub(start).Seconds()),
	}}
}

// Check implements tasks.Checker.
func (t *task) Check(context.Context, tasks.Host) (tasks.Result, error) {
	now := time.Now()
	return t.result(now, now), nil
}
