package executor

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/torrust/runner/internal/plan"
)

// pacer says when a host may begin its next task.
type pacer interface {
	// next waits until h may begin the task at place. An error means that
	// ctx ended first; otherwise the turn must be released.
	next(ctx context.Context, h *host, at place) (turn, error)
	// done says that h has no more tasks in the play.
	done(h *host)
}

// turn is the right to begin a task.
type turn struct {
	stops          // whether the play was stopped by then
	lead    bool   // if the task is run once, it may be here
	release func() // gives the fork back
}

// place is where a host stands in a play: at a task, or at a handler that is
// run at that task.
type place struct{ task, handler int }

func (a place) compare(b place) int {
	return cmp.Or(cmp.Compare(a.task, b.task), cmp.Compare(a.handler, b.handler))
}

func newPacer(p *play) pacer {
	switch p.Strategy {
	case "free":
		return ownPace{p.stopped, p.fork}
	case "host_pinned": // it has its fork for the whole play
		return ownPace{p.stopped, func(context.Context) func() { return func() {} }}
	}
	return newLockstep(p.batch, p.stopped, p.fork)
}

// ownPace lets every host go on as fast as it can.
type ownPace struct {
	stopped func() stops
	fork    func(ctx context.Context) (release func())
}

func (o ownPace) next(ctx context.Context, _ *host, _ place) (turn, error) {
	t := turn{lead: true, release: o.fork(ctx)}
	if cause := context.Cause(ctx); cause != nil {
		t.release()
		return turn{}, cause
	}
	t.stops = o.stopped()
	return t, nil
}

func (ownPace) done(*host) {}

// lockstep is the linear strategy: no host begins a task before every other
// host has ended the one before it. Hosts come with the place of their next
// task and wait; when all that are left have come, those at the foremost
// place go, in the order of the batch. So a host in a rescue section holds up
// the others for as long as it is behind them, and no longer.
type lockstep struct {
	order   map[*host]int // in the batch
	stopped func() stops
	fork    func(ctx context.Context) (release func())

	mu      sync.Mutex
	left    int // hosts that are still in the play
	waiting map[*host]*waiter
}

type waiter struct {
	ctx   context.Context // of the one call of next that waits
	host  *host
	at    place
	begin chan turn
}

func newLockstep(hosts []*host, stopped func() stops, fork func(context.Context) func()) *lockstep {
	l := &lockstep{order: map[*host]int{}, stopped: stopped, fork: fork, left: len(hosts), waiting: map[*host]*waiter{}}
	for i, h := range hosts {
		l.order[h] = i
	}
	return l
}

func (l *lockstep) next(ctx context.Context, h *host, at place) (turn, error) {
	w := &waiter{ctx, h, at, make(chan turn)}
	l.mu.Lock()
	l.waiting[h] = w
	l.release()
	l.mu.Unlock()
	select {
	case t := <-w.begin:
		if cause := context.Cause(ctx); cause != nil {
			t.release()
			return turn{}, cause
		}
		return t, nil
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.waiting, h) // it comes again, with another ctx, or is done
		return turn{}, context.Cause(ctx)
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
	var ready []*waiter
	for h, w := range l.waiting {
		if w.at == *first {
			delete(l.waiting, h)
			ready = append(ready, w)
		}
	}
	slices.SortFunc(ready, func(a, b *waiter) int { return cmp.Compare(l.order[a.host], l.order[b.host]) })
	go l.begin(ready, l.stopped()) // the same for all: a task is for every host or for none
}

// begin gives each host its turn once there is a fork for it. It ends when
// all have begun, or have given up.
func (l *lockstep) begin(ready []*waiter, s stops) {
	for i, w := range ready {
		t := turn{s, i == 0, l.fork(w.ctx)}
		select {
		case w.begin <- t:
		case <-w.ctx.Done():
			t.release()
		}
	}
}

// once makes hosts share the one execution of a run_once task.
type once struct {
	mu   sync.Mutex
	runs map[*plan.Task]*shared
}

type shared struct {
	taken   bool          // somebody runs it
	waived  chan struct{} // holds a token if the host that was to run it will not
	ready   chan struct{} // closed when there is an outcome
	outcome outcome
}

func (o *once) of(t *plan.Task) *shared {
	s := o.runs[t]
	if s == nil {
		s = &shared{waived: make(chan struct{}, 1), ready: make(chan struct{})}
		if o.runs == nil {
			o.runs = map[*plan.Task]*shared{}
		}
		o.runs[t] = s
	}
	return s
}

// waive says that the host which has the lead does not run t once: another
// may, for which run_once has another value.
func (o *once) waive(t *plan.Task) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.of(t); !s.taken {
		select {
		case s.waived <- struct{}{}:
		default:
		}
	}
}

// do runs f if the host has the lead; every other gets its outcome.
func (o *once) do(ctx context.Context, t *plan.Task, lead bool, f func() outcome) (out outcome, first bool, err error) {
	o.mu.Lock()
	s := o.of(t)
	first = lead && !s.taken
	s.taken = s.taken || first
	o.mu.Unlock()
	if !first {
		select {
		case <-s.ready:
			return s.outcome, false, nil
		case <-s.waived:
			o.mu.Lock()
			s.taken = true
			o.mu.Unlock()
		case <-ctx.Done():
			return outcome{}, false, context.Cause(ctx)
		}
	}
	defer close(s.ready)
	s.outcome = f()
	return s.outcome, true, nil
}
