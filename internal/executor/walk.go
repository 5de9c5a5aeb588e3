package executor

import (
	"context"
	"fmt"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/vars"
)

// flow says how a host goes on after a step.
type flow int

const (
	goOn        flow = iota
	failed           // a rescue may take over
	gone             // not reachable, or nobody knows what happened: nothing more can be done there
	interrupted      // told to stop: always sections run, with a deadline
	halted           // others failed: always sections run
	ended            // meta: end_host, end_play: nothing more, and nothing is wrong
)

// walk is one host on its way through a play. It belongs to one goroutine.
type walk struct {
	*play
	host     *host
	at       place // of the task at hand
	handling bool  // a handler is at hand
	cleaning bool  // an always section is at hand
	rescues  int   // how many rescue sections would take over a failure
	failure  *failure
	included []vars.Layer // variables of the loops of the includes at hand
}

// failure is what a rescue section is told.
type failure struct {
	task   string
	result map[string]any
}

// sections walks through the play, and takes the host out of the run if that
// does not end well.
func (w *walk) sections(ctx context.Context) {
	f := goOn
	for _, section := range w.Sections {
		if f = w.steps(ctx, section); f == goOn {
			f = w.flush(ctx)
		}
		if f != goOn {
			break
		}
	}
	if f == failed && (w.ForceHandlers || w.o.ForceHandlers) {
		_ = w.flush(ctx) // the host has failed, whatever the handlers do
	}
	if f == goOn || f == ended {
		return
	}
	w.host.leave()
	if f == failed {
		w.countFailure()
	}
}

func (w *walk) steps(ctx context.Context, steps []plan.Step) flow {
	for _, s := range steps {
		var f flow
		switch s := s.(type) {
		case *plan.Task:
			f = w.task(ctx, s)
		case *plan.Block:
			f = w.block(ctx, s)
		}
		if f != goOn {
			return f
		}
	}
	return goOn
}

func (w *walk) block(ctx context.Context, b *plan.Block) flow {
	if len(b.Rescue) > 0 {
		w.rescues++
	}
	f := w.body(ctx, b)
	if len(b.Rescue) > 0 {
		w.rescues--
		if f == failed {
			f = w.steps(ctx, b.Rescue)
		}
	}
	if f == gone || f == ended || len(b.Always) == 0 {
		return f
	}
	if context.Cause(ctx) != nil {
		var cancel context.CancelFunc
		ctx, cancel = cleanup(ctx)
		defer cancel()
	}
	outer := w.cleaning
	w.cleaning = true
	if a := w.steps(ctx, b.Always); f == goOn {
		f = a
	}
	w.cleaning = outer
	return f
}

// body does the steps of a block, within its maintenance window if it has one.
func (w *walk) body(ctx context.Context, b *plan.Block) flow {
	if b.Window == nil {
		return w.steps(ctx, b.Body)
	}
	f := w.task(ctx, b.Window.Open)
	if f == goOn {
		f = w.steps(ctx, b.Body)
	}
	if f == gone {
		// The host starts everything on its own; a new link is to tell.
		w.warn(w.host, "lost within a maintenance window: the helper on the host starts the services again")
		_ = w.host.dropLinks() // they are lost
	}
	if context.Cause(ctx) != nil {
		var cancel context.CancelFunc
		ctx, cancel = cleanup(ctx)
		defer cancel()
	}
	// At once, whatever the other hosts do: the services are down meanwhile.
	if a := w.step(ctx, b.Window.Close, false); f == goOn {
		f = a
	}
	return f
}

// cleanup returns a context for what must be done although ctx has ended.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.WithoutCancel(ctx), cleanupPatience,
		fmt.Errorf("cleaning up took longer than %s", cleanupPatience))
}

// flush runs the handlers that were notified, in the order of their
// definition.
func (w *walk) flush(ctx context.Context) flow {
	w.handling = true
	defer func() { w.handling = false }()
	for _, h := range w.Handlers {
		if !w.host.takeNotified(h) {
			continue
		}
		if f := w.task(ctx, h); f != goOn {
			return f
		}
	}
	return goOn
}

// task does one task when its turn comes.
func (w *walk) task(ctx context.Context, t *plan.Task) flow {
	if w.handling {
		w.at.handler = 1 + w.order[t]
	} else {
		w.at = place{task: w.order[t]}
	}
	turn, err := w.pace.next(ctx, w.host, w.at)
	if err != nil {
		w.interrupt()
		return interrupted
	}
	switch work := t.Work.(type) {
	case plan.Meta:
		turn.release() // it is no work
		if f, stop := w.halts(turn); stop {
			return f
		}
		return w.meta(ctx, t, work)
	case plan.Include:
		turn.release() // its tasks have turns of their own
		if f, stop := w.halts(turn); stop {
			return f
		}
		return w.include(ctx, t, work)
	}
	defer turn.release()
	if f, stop := w.halts(turn); stop {
		return f
	}
	return w.step(ctx, t, turn.lead)
}

// halts tells whether the play was stopped before the turn.
func (w *walk) halts(t turn) (flow, bool) {
	switch {
	case t.ended:
		return ended, true
	case t.fatal && !w.cleaning:
		return halted, true
	}
	return goOn, false
}

// interrupt notes that the run was stopped before the host was through.
func (w *walk) interrupt() {
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	w.host.spoiled = true
}

// meta obeys an order of the playbook.
func (w *walk) meta(ctx context.Context, t *plan.Task, m plan.Meta) flow {
	when, err := w.conditions(ctx, t.When, w.scope(t))
	if err != nil {
		return w.finish(ctx, t, outcome{result: notBegun(err), err: err}, w.o.Now())
	}
	if when != "" {
		return goOn
	}
	switch m.Action {
	case "flush_handlers":
		return w.flush(ctx)
	case "end_host":
		return ended
	case "end_play", "end_batch":
		w.stop(false)
		return ended
	case "clear_facts":
		w.host.forget()
	case "clear_host_errors":
		for _, h := range w.batch {
			h.forgive()
		}
	case "reset_connection":
		if err := w.host.dropLinks(); err != nil {
			w.warn(w.host, "closing its connection: "+err.Error())
		}
	}
	return goOn
}
