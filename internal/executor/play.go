package executor

import (
	"context"
	"slices"
	"sync"

	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/vars"
)

// play is one batch of a play while it runs.
type play struct {
	*run
	*plan.Play
	batch  []*host // those that began it, in order
	values []vars.Layer
	order  map[*plan.Task]int // places of the tasks and handlers in the play
	pace   pacer
	once   once
	banner banners

	mu     sync.Mutex
	stops  stops
	failed int
}

// stops say why nobody in a play starts another task.
type stops struct {
	fatal bool // any_errors_fatal, max_fail_percentage
	ended bool // meta: end_play, end_batch
}

// play runs a play. goOn is false if no later play is to run.
func (r *run) play(ctx context.Context, p *plan.Play) (goOn bool, err error) {
	var hosts []*host
	for _, h := range p.Hosts {
		if known := r.hosts[h.Name]; !known.gone() {
			hosts = append(hosts, known)
		}
	}
	if len(hosts) == 0 {
		if len(p.Hosts) == 0 {
			r.emit(event.NoHosts{Play: p.Name})
			return true, nil
		}
		r.emit(event.PlayStarted{Time: r.o.Now(), Name: p.Name, Strategy: p.Strategy})
		r.emit(event.NoMoreHosts{Play: p.Name})
		return true, nil
	}
	values, err := r.playVars(ctx, p)
	if err != nil {
		return false, err
	}
	all := batches(hosts, p.Serial)
	for i, batch := range all {
		b := &play{run: r, Play: p, batch: batch, values: values, order: places(p)}
		b.banner.seen = map[string]bool{}
		b.pace = newPacer(b)
		r.emit(event.PlayStarted{Time: r.o.Now(), Name: p.Name, Hosts: names(batch), Strategy: p.Strategy})
		b.runAll(ctx)
		if cause := context.Cause(ctx); cause != nil {
			return false, cause
		}
		if b.stops.ended {
			break
		}
		if b.stops.fatal || !slices.ContainsFunc(batch, func(h *host) bool { return !h.gone() }) {
			// A batch of which nobody is left ends the run: the next
			// one would go the same way.
			if b.stops.fatal || i < len(all)-1 {
				r.emit(event.NoMoreHosts{Play: p.Name})
			}
			return false, nil
		}
	}
	return true, nil
}

func names(hosts []*host) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = h.Name
	}
	return out
}

// runAll lets every host of the batch walk through the play, and returns when
// all have.
func (p *play) runAll(ctx context.Context) {
	var wait sync.WaitGroup
	for _, h := range p.batch {
		wait.Go(func() {
			release := p.pin(ctx)
			defer release()
			defer p.pace.done(h)
			w := &walk{play: p, host: h}
			w.sections(ctx)
		})
	}
	wait.Wait()
}

// pin holds a fork for a host as long as it is in the play, if the strategy
// is host_pinned.
func (p *play) pin(ctx context.Context) (release func()) {
	if p.Strategy != "host_pinned" {
		return func() {}
	}
	return p.fork(ctx)
}

// fork waits for one of the forks. Without one, since ctx has ended, the
// caller finds that out soon enough.
func (p *play) fork(ctx context.Context) (release func()) {
	select {
	case p.forks <- struct{}{}:
		return func() { <-p.forks }
	case <-ctx.Done():
		return func() {}
	}
}

// places numbers every task of a play in the order of writing, handlers last.
func places(p *plan.Play) map[*plan.Task]int {
	order := map[*plan.Task]int{}
	for _, section := range p.Sections {
		number(order, section)
	}
	for _, h := range p.Handlers {
		order[h] = len(order)
	}
	return order
}

func number(order map[*plan.Task]int, steps []plan.Step) {
	for _, s := range steps {
		switch s := s.(type) {
		case *plan.Task:
			order[s] = len(order)
			if include, ok := s.Work.(plan.Include); ok {
				number(order, include.Steps)
			}
		case *plan.Block:
			if s.Window != nil {
				order[s.Window.Open] = len(order)
			}
			number(order, s.Body)
			if s.Window != nil {
				order[s.Window.Close] = len(order)
			}
			number(order, s.Rescue)
			number(order, s.Always)
		}
	}
}

// stop makes every host of the batch end before its next task.
func (p *play) stop(fatal bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fatal {
		p.stops.fatal = true
	} else {
		p.stops.ended = true
	}
}

func (p *play) stopped() stops {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stops
}

// countFailure notes that a host has failed for good, and ends the play if
// those are too many.
func (p *play) countFailure() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed++
	if p.MaxFailPercentage != nil && float64(p.failed)*100 > *p.MaxFailPercentage*float64(len(p.batch)) {
		p.stops.fatal = true
	}
}
