package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"syscall"
	"time"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/tasks"
)

// banners remembers which tasks have been announced.
type banners struct {
	mu   sync.Mutex
	seen map[string]bool
}

// tellTask announces a task when the first host begins it.
func (w *walk) tellTask(t *plan.Task) {
	key := fmt.Sprint(t.ID, w.at)
	w.banner.mu.Lock()
	defer w.banner.mu.Unlock()
	if w.banner.seen[key] {
		return
	}
	w.banner.seen[key] = true
	w.emit(event.TaskStarted{Time: w.o.Now(), Play: w.Name, Task: w.describe(t)})
}

// describe names a task in events.
func (w *walk) describe(t *plan.Task) event.Task {
	return event.Task{ID: t.ID, Name: w.mask(t.Title()), Kind: t.Kind, Path: fmt.Sprintf("%s:%d", t.Pos.File, t.Pos.Line), Handler: w.handling}
}

func (r *run) warn(h *host, text string) {
	r.emit(event.Warning{Time: r.o.Now(), Host: h.Name, Text: r.mask(text)})
}

// hinter is an error that knows what a person can do about it.
type hinter interface {
	error
	Hint() string
}

func hintOf(err error) string {
	if dial, ok := errors.AsType[*conn.DialError](err); ok {
		return dial.Hint
	}
	if h, ok := errors.AsType[hinter](err); ok {
		return h.Hint()
	}
	if errors.Is(err, syscall.ENOSPC) {
		return "make room on that disk, or choose another for the backup sets with --store; the sets that are there are untouched"
	}
	if errors.Is(err, conn.ErrLost) {
		return "the link or the host went away in the middle, so what the task has done is not known: look at the host, then run it again with --limit"
	}
	return ""
}

// censored is shown in place of what no_log hides.
const censored = "the output has been hidden due to the fact that 'no_log: true' was specified for this result"

// report makes the event of an outcome, secrets masked.
func (w *walk) report(ctx context.Context, t *plan.Task, o outcome, status event.Status) event.StepFinished {
	e := event.StepFinished{Time: w.o.Now(), Host: w.host.Name, Task: w.describe(t), Status: status, Changed: o.changed, Looped: o.looped}
	if t.DelegateTo != nil {
		e.Delegated, _ = w.text(context.WithoutCancel(ctx), t.DelegateTo, w.scope(t))
	}
	if o.quiet {
		e.Result = map[string]any{"censored": censored, "changed": o.changed}
		if o.err != nil {
			e.Error = censored
		}
		return e
	}
	e.Note, e.Diff = w.mask(o.note), w.mask(o.diff)
	e.Result, _ = w.o.Secrets.Value(maps.Clone(o.result)).(map[string]any)
	if o.err != nil {
		e.Error, e.Hint = w.mask(o.err.Error()), w.mask(hintOf(o.err))
	}
	return e
}

// progressEvery is how often a transfer is told about.
const progressEvery = 200 * time.Millisecond

// progress tells how far a step is, not too often.
type progress struct {
	walk *walk
	task event.Task

	mu    sync.Mutex
	phase string
	last  time.Time
}

func (p *progress) tell(x tasks.Progress) {
	now := p.walk.o.Now()
	p.mu.Lock()
	due := x.Phase != p.phase || now.Sub(p.last) >= progressEvery || x.Total > 0 && x.Done >= x.Total
	if due {
		p.phase, p.last = x.Phase, now
	}
	p.mu.Unlock()
	if due {
		p.walk.emit(event.Progress{Time: now, Host: p.walk.host.Name, Task: p.task, Phase: x.Phase, Done: x.Done, Total: x.Total, Wire: x.Wire})
	}
}

// maxLine is where a line without an end is cut.
const maxLine = 64 << 10

// lines makes events of what a command writes, line by line.
type lines struct {
	emit  func(line string)
	mu    sync.Mutex
	begun []byte
}

// output returns what takes a stream of a command.
func (w *walk) output(t event.Task, stream string, quiet bool) *lines {
	if quiet {
		return &lines{emit: func(string) {}}
	}
	return &lines{emit: func(line string) {
		w.emit(event.OutputLine{Time: w.o.Now(), Host: w.host.Name, Task: t, Stream: stream, Line: w.mask(line)})
	}}
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			break
		}
		l.emit(string(append(l.begun, p[:end]...)))
		l.begun, p = l.begun[:0], p[end+1:]
	}
	l.begun = append(l.begun, p...)
	if len(l.begun) > maxLine {
		l.emit(string(l.begun))
		l.begun = l.begun[:0]
	}
	return n, nil
}

// end passes on a last line without its newline.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.begun) > 0 {
		l.emit(string(l.begun))
		l.begun = nil
	}
}
