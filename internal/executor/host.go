package executor

import (
	"io"
	"maps"
	"sync"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/vars"
)

// host is what a run knows about a host: what was learned, how it fared, and
// its connections. It is safe for concurrent use: hostvars and delegation
// reach it from other hosts' goroutines.
type host struct {
	*plan.Host

	mu         sync.Mutex
	facts      vars.Layer // replaced, never changed in place
	registered vars.Layer // the same
	notified   map[*plan.Task]bool
	count      event.Counts
	out        bool // failed or unreachable: it takes part in nothing more
	spoiled    bool // its backup set cannot be complete

	left  map[string]io.Closer // by tasks for later ones
	links links
	doors doors
	set   backupSet
}

func newHost(h *plan.Host) *host {
	return &host{
		Host:       h,
		facts:      vars.Layer{Level: vars.Facts, Source: "facts", Literal: true},
		registered: vars.Layer{Level: vars.Registered, Source: "set_fact or register", Literal: true},
		notified:   map[*plan.Task]bool{},
		left:       map[string]io.Closer{},
		links:      links{open: map[string]conn.Conn{}},
	}
}

// learn sets variables of the host, as set_fact and register do.
func (h *host) learn(values map[string]any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	merged := maps.Clone(h.registered.Values)
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, values)
	h.registered.Values = merged
}

// forget drops what was learned, as meta: clear_facts does.
func (h *host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.facts.Values, h.registered.Values = nil, nil
}

// learned returns the layers of what was learned.
func (h *host) learned() (facts, registered vars.Layer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.facts, h.registered
}

// notify marks handlers to be run at the next flush.
func (h *host) notify(handlers []*plan.Task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range handlers {
		h.notified[t] = true
	}
}

// takeNotified tells whether a handler was notified, and forgets that.
func (h *host) takeNotified(t *plan.Task) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.notified[t]
	delete(h.notified, t)
	return was
}

// tell counts the outcome of a step for the recap, as Ansible counts.
func (h *host) tell(status event.Status, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := &h.count
	switch status {
	case event.OK:
		c.OK++
	case event.Changed:
		c.OK++
		c.Changed++
	case event.Skipped:
		c.Skipped++
	case event.Failed:
		c.Failed++
	case event.Unreachable:
		c.Unreachable++
	case event.Rescued:
		c.Rescued++
	case event.Ignored:
		c.OK++
		c.Ignored++
		if changed {
			c.Changed++
		}
	case event.Interrupted:
		c.Interrupted++
	case event.Unknown:
		c.Unknown++
	}
}

func (h *host) tally() (c event.Counts, any bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count, h.count != event.Counts{}
}

// leaveOpen keeps what a task leaves for a later one.
func (h *host) leaveOpen(name string, c io.Closer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left[name] = c
}

// take returns what was left under a name, nil if nothing was.
func (h *host) take(name string) io.Closer {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.left[name]
	delete(h.left, name)
	return c
}

// closeLeft closes what nobody has taken.
func (h *host) closeLeft() {
	h.mu.Lock()
	left := h.left
	h.left = map[string]io.Closer{}
	h.mu.Unlock()
	for _, c := range left {
		_ = c.Close() // the host is on its own now
	}
}

// leave takes the host out of the rest of the run.
func (h *host) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out, h.spoiled = true, true
}

// gone tells whether the host has left the run.
func (h *host) gone() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.out
}

// forgive lets the host take part again, as meta: clear_host_errors does. Its
// backup set stays incomplete.
func (h *host) forgive() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out = false
}
