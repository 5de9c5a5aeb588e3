package executor

import (
	"cmp"
	"context"
	"sync"

	"github.com/torrust/runner/internal/plan"
)

// pacer says when a host may begin its next task.
type pacer interface {
	// next waits until h may begin the task at place. An error means that
	// ctx ended first.
	next(ctx context.Context, h *host, at place) error
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
		return ownPace{}
	}
	return newLockstep(p.batch)
}

// ownPace lets every host go on as fast as it can.
type ownPace struct{}

func (ownPace) next(ctx context.Context, _ *host, _ place) error { return context.Cause(ctx) }
func (ownPace) done(*host)                                       {}

// lockstep is the linear strategy: no host begins a task before every other
// host has ended the one before it. Hosts come with the place of their next
// task and wait; when all that are left have come, those at the foremost
// place go. So a host in a rescue section holds up the others for as long as
// it is behind them, and no longer.
type lockstep struct {
	mu      sync.Mutex
	left    int // hosts that are still in the play
	waiting map[*host]waiter
}

type waiter struct {
	at    place
	begin chan struct{}
}

func newLockstep(hosts []*host) *lockstep {
	return &lockstep{left: len(hosts), waiting: map[*host]waiter{}}
}

func (l *lockstep) next(ctx context.Context, h *host, at place) error {
	w := waiter{at, make(chan struct{})}
	l.mu.Lock()
	l.waiting[h] = w
	l.release()
	l.mu.Unlock()
	select {
	case <-w.begin:
		return context.Cause(ctx)
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.waiting, h) // it comes again, with another ctx, or is done
		return context.Cause(ctx)
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
	for h, w := range l.waiting {
		if w.at == *first {
			delete(l.waiting, h)
			close(w.begin)
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
