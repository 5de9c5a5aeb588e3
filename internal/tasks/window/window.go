// Package window owns both ends of maintenance_window, the keyword of a block:
// the task that stops containers before the block, and the one that sees to it
// that they run again behind it.
//
// It never knows what the block does, nor how the host holds the window; see
// the package window above.
package window

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/window"
)

// Keyword is what a playbook calls it.
const Keyword = "maintenance_window"

// Specs returns the two tasks around a block. id is that of the block within
// its plan.
func Specs(id string) (opening, closing tasks.Spec) {
	opening = tasks.Spec{Name: Keyword, New: func() tasks.Task { return &open{id: id} }}
	closing = tasks.Spec{Name: Keyword, New: func() tasks.Task { return &shut{id: id} }}
	return opening, closing
}

// Spec declares the keyword's parameters, for the documentation.
func Spec() tasks.Spec {
	opening, _ := Specs("")
	return opening
}

type params struct {
	id      string
	Stop    []string      `arg:"stop,required" doc:"containers, or services of a compose project, in the order of stopping; they are started in the reverse one"`
	Project string        `arg:"project_name" doc:"the compose project, if services of several have these names"`
	Engine  string        `arg:"engine" default:"auto" choices:"auto,docker,podman" doc:"what runs the containers"`
	Signal  string        `arg:"signal" doc:"a signal to send first; the Torrust tracker ends by SIGINT, and is deaf to the usual SIGTERM"`
	Grace   time.Duration `arg:"stop_timeout" default:"60s" doc:"how long a container may take to end before it is killed"`
	Limit   time.Duration `arg:"max" default:"30m" doc:"how long the window may be open; then everything is started again, and the block has failed"`
	Healthy time.Duration `arg:"healthy_timeout" default:"2m" doc:"how long they may take to be healthy again"`
}

func (p params) validate() error {
	switch {
	case len(p.Stop) == 0:
		return errors.New("stop names no container")
	case slices.ContainsFunc(p.Stop, func(s string) bool { return s == "" || strings.HasPrefix(s, "-") }):
		return fmt.Errorf("stop: one of %q cannot be the name of a container", p.Stop)
	case strings.HasPrefix(p.Signal, "-"):
		return fmt.Errorf("%q cannot be a signal", p.Signal)
	case p.Grace <= 0 || p.Limit <= 0 || p.Healthy <= 0:
		return errors.New("a time must be more than nothing")
	}
	return nil
}

func (p params) request() window.Params {
	engine := p.Engine
	if engine == "auto" {
		engine = ""
	}
	return window.Params{Engine: engine, Stop: p.Stop, Project: p.Project, Signal: p.Signal, Grace: p.Grace, Deadline: p.Limit}
}

// open is the task before the block.
type open params

var (
	_ tasks.Checker   = (*open)(nil)
	_ tasks.Validator = (*open)(nil)
	_ tasks.Checker   = (*shut)(nil)
)

// Validate implements tasks.Validator.
func (t *open) Validate() error { return params(*t).validate() }

// Check implements tasks.Checker.
func (t *open) Check(context.Context, tasks.Host) (tasks.Result, error) {
	return tasks.Result{Changed: true, Note: "would stop " + strings.Join(t.Stop, ", ") + " for the time of the block"}, nil
}

// Run implements tasks.Task.
func (t *open) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	// The window outlives this task, and the sign to stop, too: what it has
	// stopped is started again by whoever takes it.
	held := &held{opened: make(chan struct{}), ended: make(chan struct{}), began: time.Now()}
	var streamCtx context.Context
	streamCtx, held.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	stream, err := h.Helper.Call(streamCtx, window.OpHold, params(*t).request())
	if err != nil {
		held.cancel(nil)
		return tasks.Result{}, failures.Explain(err)
	}
	h.Leave(t.id, held)
	go held.follow(stream)
	select {
	case <-held.opened:
	case <-held.ended:
	case <-ctx.Done():
		return tasks.Result{}, context.Cause(ctx)
	}
	if err := held.failure(); err != nil {
		return tasks.Result{}, failures.Explain(err)
	}
	news := held.latest()
	took := time.Since(held.began)
	r := tasks.Result{Outputs: map[string]any{"stopped": named(news.Stopped), "idle": texts(news.Idle), "seconds": took.Seconds()}}
	if len(news.Stopped) == 0 {
		r.Note = "nothing to stop: " + strings.Join(news.Idle, ", ") + " did not run"
		return r, nil
	}
	r.Changed = true
	r.Note = fmt.Sprintf("stopped %s in %.1f s", strings.Join(namesOf(news.Stopped), ", "), took.Seconds())
	if len(news.Idle) > 0 {
		r.Note += "; " + strings.Join(news.Idle, ", ") + " did not run, and will not be started"
	}
	return r, nil
}

// held is a window that is open on a host.
type held struct {
	cancel context.CancelCauseFunc
	opened chan struct{} // closed when everything is stopped
	ended  chan struct{} // closed when the window is
	began  time.Time

	mu   sync.Mutex
	news window.News
	err  error // why it ended; nil while it is open, and if nothing was stopped
}

var errClosing = errors.New("the block is over")

// follow reads what the host tells until the end of the window.
func (w *held) follow(stream helper.Stream) {
	defer close(w.ended)
	var err error
	for dec := json.NewDecoder(stream); ; {
		var n window.News
		if err = dec.Decode(&n); err != nil {
			break
		}
		w.mu.Lock()
		w.news = n
		w.mu.Unlock()
		if n.Event == window.Open {
			close(w.opened)
		}
	}
	_ = stream.Close()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	w.mu.Lock()
	w.err = err
	w.mu.Unlock()
}

func (w *held) latest() window.News {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.news
}

// failure returns why the window has ended, nil if it is open.
func (w *held) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Close closes the window: the host starts what it has stopped, and nobody
// waits for that here. It implements io.Closer.
func (w *held) Close() error {
	w.cancel(errClosing)
	<-w.ended
	return nil
}

// shut is the task behind the block.
type shut params

// Check implements tasks.Checker.
func (t *shut) Check(context.Context, tasks.Host) (tasks.Result, error) {
	return tasks.Result{Changed: true, Note: "would start " + strings.Join(t.Stop, ", ") + " again"}, nil
}

// Run implements tasks.Task.
func (t *shut) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	w, _ := h.Take(t.id).(*held)
	if w == nil {
		return tasks.Result{Skipped: true, Note: "no window was opened"}, nil
	}
	broken := w.failure()
	_ = w.Close() // never fails
	news := w.latest()
	if len(news.Stopped) == 0 {
		return tasks.Result{Note: "nothing was stopped"}, nil
	}
	served, err := t.serve(ctx, h, news)
	down := time.Since(w.began)
	r := tasks.Result{Changed: true, Outputs: map[string]any{"services": values(served), "down_seconds": down.Seconds()}}
	switch {
	case err != nil:
		return r, failures.Explain(err)
	case broken != nil:
		return r, brokenWindow(broken, wellAgain(served))
	}
	r.Note = fmt.Sprintf("%s, after %.1f s", wellAgain(served), down.Seconds())
	return r, nil
}

// serve waits until what was stopped is well again.
func (t *shut) serve(ctx context.Context, h tasks.Host, news window.News) ([]window.Served, error) {
	stream, err := h.Helper.Call(ctx, window.OpServe, window.ServeParams{Engine: news.Engine, Services: news.Stopped, Healthy: t.Healthy})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return nil, err
	}
	var served []window.Served
	return served, stream.Result(&served)
}

func wellAgain(served []window.Served) string {
	var out []string
	for _, s := range served {
		state := "runs again"
		if s.Health != "" {
			state = "is " + s.Health + " again"
		}
		out = append(out, s.Name+" "+state)
	}
	return strings.Join(out, ", ")
}

func namesOf(list []window.Service) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Name
	}
	return out
}

func values(list []window.Served) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = map[string]any{"name": s.Name, "state": s.State, "health": s.Health, "started": s.Started.UTC().Format(time.RFC3339Nano)}
	}
	return out
}

// named and texts make values of register.
func named(list []window.Service) []any { return texts(namesOf(list)) }

func texts(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
