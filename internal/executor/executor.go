// Package executor owns the order of a run: which host does which task when,
// conditions, loops, retries, handlers, failure and cancellation, and the
// variables that a task sees at the moment it runs. All that happens is told
// as events, and only by this package.
//
// It never knows YAML files, SSH, or a terminal.
package executor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/redact"
	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

// Engine evaluates templates and expressions; [template.Engine] is one.
type Engine interface {
	Expand(ctx context.Context, v any, s template.Scope) (any, error)
	Eval(ctx context.Context, expr string, s template.Scope) (any, error)
	Bool(ctx context.Context, expr string, s template.Scope) (bool, error)
	Render(ctx context.Context, text string, s template.Scope, o template.RenderOptions) (string, error)
}

// Options are all that an Executor uses. Everything but Extra and the flags
// is needed.
type Options struct {
	Dialer conn.Dialer
	// Target makes a target of the connection variables of a host, which
	// are expanded already.
	Target  func(name string, connection map[string]any) (conn.Target, error)
	Helper  func(conn.Conn) helper.Caller
	Engine  Engine
	Sink    event.Sink
	Secrets *redact.Set
	Store   *catalog.Store
	// ReadVars reads a file of variables for vars_files.
	ReadVars func(path string) (vars.Layer, error)
	// Prompt asks the person for a variable of vars_prompt.
	Prompt func(p plan.Prompt) (string, error)

	Extra         vars.Layer // -e
	Forks         int        // hosts at work at once, at least 1
	Check, Diff   bool
	ForceHandlers bool
	Verbosity     int
	Version       string           // of the runner
	RunID         string           // names the run in events and manifests
	Magic         map[string]any   // magic variables that the command line knows
	Now           func() time.Time // the clock of events
}

// cleanupPatience is how long always sections, handlers of cleanup and the
// closing of sets may go on after a run was told to stop.
const cleanupPatience = 60 * time.Second

// Executor runs plans, one after the other.
type Executor struct{ o Options }

// New returns an executor.
func New(o Options) *Executor { return &Executor{o} }

// RunError is the end of a run that did not end well on every host. The
// events have told the details.
type RunError struct {
	Hosts map[string]event.Counts // of the hosts that did not end well
	// Sets is what kept backup sets from being completed, by host.
	Sets map[string]error
}

// Error implements error.
func (e *RunError) Error() string {
	names := make([]string, 0, len(e.Hosts)+len(e.Sets))
	for host := range e.Hosts {
		names = append(names, host)
	}
	for host := range e.Sets {
		if !slices.Contains(names, host) {
			names = append(names, host)
		}
	}
	slices.Sort(names)
	return "not all went well on " + strings.Join(names, ", ")
}

// Unreachable tells whether a host could not be reached.
func (e *RunError) Unreachable() bool {
	for _, c := range e.Hosts {
		if c.Unreachable > 0 {
			return true
		}
	}
	return false
}

// Run does what p says. The error is nil if every step on every host ended
// ok, changed, skipped, rescued or ignored, a *RunError if not, and the cause
// of ctx if that ended the run. When Run returns, every connection is closed
// and every backup set has met its fate.
func (x *Executor) Run(ctx context.Context, p *plan.Plan) error {
	r := newRun(x.o, p)
	began := x.o.Now()
	r.emit(event.RunStarted{ID: x.o.RunID, Time: began, Playbooks: playbookNames(p), Check: x.o.Check, Version: x.o.Version})
	var cause error
	for _, play := range p.Plays {
		if cause = context.Cause(ctx); cause != nil {
			break
		}
		var goOn bool
		if goOn, cause = r.play(ctx, play); cause != nil || !goOn {
			break
		}
	}
	if cause == nil {
		cause = context.Cause(ctx)
	}
	setErrs := r.closeSets()
	r.closeLinks()
	finished := event.RunFinished{ID: x.o.RunID, Time: x.o.Now(), Took: x.o.Now().Sub(began), Hosts: r.counts()}
	if cause != nil {
		finished.Cause = r.mask(cause.Error())
	}
	r.emit(finished)
	if cause != nil {
		return cause
	}
	return verdict(finished.Hosts, setErrs)
}

func playbookNames(p *plan.Plan) []string {
	var names []string
	for _, play := range p.Plays {
		if !slices.Contains(names, play.Playbook) {
			names = append(names, play.Playbook)
		}
	}
	return names
}

func verdict(hosts map[string]event.Counts, sets map[string]error) error {
	e := &RunError{Hosts: map[string]event.Counts{}, Sets: sets}
	for name, c := range hosts {
		if c.Failed+c.Unreachable+c.Unknown+c.Interrupted > 0 {
			e.Hosts[name] = c
		}
	}
	if len(e.Hosts)+len(e.Sets) == 0 {
		return nil
	}
	return e
}

// run is one run of a plan.
type run struct {
	o     Options
	plan  *plan.Plan
	forks chan struct{}
	hosts map[string]*host

	delegated sync.Mutex
	strangers map[string]*host // that tasks were delegated to, in no inventory

	throttles throttles
}

func newRun(o Options, p *plan.Plan) *run {
	r := &run{o: o, plan: p, forks: make(chan struct{}, max(1, o.Forks)), hosts: map[string]*host{}}
	for name, h := range p.Hosts {
		r.hosts[name] = newHost(h)
	}
	for _, play := range p.Plays { // implicit localhost is in no inventory
		for _, h := range play.Hosts {
			if r.hosts[h.Name] == nil {
				r.hosts[h.Name] = newHost(h)
			}
		}
	}
	r.learnSecrets()
	return r
}

func (r *run) emit(e event.Event) { r.o.Sink.Emit(e) }

func (r *run) mask(text string) string { return r.o.Secrets.Mask(text) }

// counts returns the columns of the recap, of every host that did anything.
func (r *run) counts() map[string]event.Counts {
	out := map[string]event.Counts{}
	for name, h := range r.hosts {
		if c, any := h.tally(); any {
			out[name] = c
		}
	}
	return out
}

// bug says that the fault is ours.
func bug(what string, v any) error {
	return fmt.Errorf("%s: %v: this is a mistake in runner itself, please report it with the output of -vvv", what, v)
}
