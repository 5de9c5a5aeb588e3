package executor

import (
	"cmp"
	"context"
	"sync"

	"github.com/torrust/runner/internal/plan"
)

// pacer says when a host may begin its next task.
type pacer interface {
	// next waits until h may begin the task at place, and tells whether
	// the play was stopped by then. An error means that ctx ended first.
	next(ctx context.Context, h *host, at place) (stops, error)
	// done says that h has no more tasks in the play.
	done(h *host)
}

// place is where a host stands in a play: at a task, or at a handler that is
// run at that task.
type place struct{ task, handler int }

func (a place) compare(b place) int {
	return cmp.Or(cmp.Compare(a.task, b.task), cmp.Compare(a.handler, b.handler))
}

func newPacer(p *play) pacer {
	if p.Strategy == "free" || p.Strategy == "host_pinned" {
		return ownPace{p.stopped}
	}
	return newLockstep(p.batch, p.stopped)
}

// ownPace lets every host go on as fast as it can.
type ownPace struct{ stopped func() stops }

func (o ownPace) next(ctx context.Context, _ *host, _ place) (stops, error) {
	return o.stopped(), context.Cause(ctx)
}

func (ownPace) done(*host) {}

// lockstep is the linear strategy: no host begins a task before every other
// host has ended the one before it. Hosts come with the place of their next
// task and wait; when all that are left have come, those at the foremost
// place go. So a host in a rescue section holds up the others for as long as
// it is behind them, and no longer.
type lockstep struct {
	mu      sync.Mutex
	left    int // hosts that are still in the play
	waiting map[*host]waiter
	stopped func() stops
}

type waiter struct {
	at    place
	begin chan stops
}

func newLockstep(hosts []*host, stopped func() stops) *lockstep {
	return &lockstep{left: len(hosts), waiting: map[*host]waiter{}, stopped: stopped}
}

func (l *lockstep) next(ctx context.Context, h *host, at place) (stops, error) {
	w := waiter{at, make(chan stops, 1)}
	l.mu.Lock()
	l.waiting[h] = w
	l.release()
	l.mu.Unlock()
	select {
	case s := <-w.begin:
		return s, context.Cause(ctx)
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.waiting, h) // it comes again, with another ctx, or is done
		return stops{}, context.Cause(ctx)
	}
}

func (l *lockstep) done(*host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left--
	l.release()
}

// release lets the hosts at the foremost place go if nobody is missing.
func (l *lockstep) release() {
	if len(l.waiting) == 0 || len(l.waiting) < l.left {
		return
	}
	var first *place
	for _, w := range l.waiting {
		if first == nil || w.at.compare(*first) < 0 {
			first = &w.at
		}
	}
	now := l.stopped() // the same for all: a task is for every host or for none
	for h, w := range l.waiting {
		if w.at == *first {
			delete(l.waiting, h)
			w.begin <- now
		}
	}
}

// once makes hosts share the one execution of a run_once task.
type once struct {
	mu   sync.Mutex
	runs map[*plan.Task]*shared
}

type shared struct {
	ready   chan struct{}
	outcome outcome
}

// do runs f for the first host that comes to t; every other gets its outcome.
func (o *once) do(ctx context.Context, t *plan.Task, f func() outcome) (out outcome, first bool, err error) {
	o.mu.Lock()
	s, running := o.runs[t]
	if !running {
		s = &shared{ready: make(chan struct{})}
		if o.runs == nil {
			o.runs = map[*plan.Task]*shared{}
		}
		o.runs[t] = s
	}
	o.mu.Unlock()
	if !running {
		defer close(s.ready)
		s.outcome = f()
		return s.outcome, true, nil
	}
	select {
	case <-s.ready:
		return s.outcome, false, nil
	case <-ctx.Done():
		return outcome{}, false, context.Cause(ctx)
	}
}
