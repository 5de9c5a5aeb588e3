package sink

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/torrust/runner/internal/event"
)

const (
	// maxBusy is how many hosts have a live line: the others are counted.
	maxBusy = 8
	// patience is how long a step runs before it is worth a live line.
	patience = 300 * time.Millisecond
)

// busyHosts is what each host does at the moment. It is safe for concurrent
// use: events come from the run, lines are asked for by the painter.
type busyHosts struct {
	now   func() time.Time
	mu    sync.Mutex
	hosts map[string]*busyHost
}

type busyHost struct {
	name  string
	what  string // the task, or "connecting to …"
	since time.Time

	phase      string
	done       int64
	total      int64
	phaseBegan time.Time
	phaseFrom  int64 // done when the phase began
	updated    time.Time
}

func newBusyHosts(now func() time.Time) *busyHosts {
	return &busyHosts{now: now, hosts: map[string]*busyHost{}}
}

func (b *busyHosts) connecting(e event.HostConnecting) {
	b.set(e.Host, "connecting to "+e.Addr, e.Time)
}

func (b *busyHosts) step(e event.StepStarted) {
	b.set(e.Host, cmp.Or(e.Task.Name, e.Task.Kind), e.Time)
}

func (b *busyHosts) set(host, what string, since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts[host] = &busyHost{name: host, what: what, since: since}
}

func (b *busyHosts) idle(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.hosts, host)
}

func (b *busyHosts) progress(e event.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hosts[e.Host]
	if h == nil {
		h = &busyHost{name: e.Host, what: cmp.Or(e.Task.Name, e.Task.Kind), since: e.Time}
		b.hosts[e.Host] = h
	}
	if h.phase != e.Phase {
		h.phase, h.phaseBegan, h.phaseFrom = e.Phase, e.Time, e.Done
	}
	h.done, h.total, h.updated = e.Done, e.Total, e.Time
}

// lines returns the live lines, none wider than the terminal. Hosts that move
// bytes come first, then the others by how long they have been busy.
func (b *busyHosts) lines(width int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	var shown []*busyHost
	for _, h := range b.hosts {
		if now.Sub(h.since) >= patience {
			shown = append(shown, h)
		}
	}
	slices.SortFunc(shown, func(x, y *busyHost) int {
		return cmp.Or(
			cmp.Compare(btoi(x.phase == ""), btoi(y.phase == "")),
			x.since.Compare(y.since),
			cmp.Compare(x.name, y.name))
	})
	more := len(shown) - maxBusy
	shown = shown[:min(len(shown), maxBusy)]
	slices.SortFunc(shown, func(x, y *busyHost) int { return cmp.Compare(x.name, y.name) })
	nameWidth := 0
	for _, h := range shown {
		nameWidth = max(nameWidth, runewidth.StringWidth(h.name))
	}
	nameWidth = min(nameWidth, 30)
	var out []string
	for _, h := range shown {
		name := runewidth.FillRight(runewidth.Truncate(h.name, nameWidth, "…"), nameWidth)
		out = append(out, runewidth.Truncate("  "+name+"  "+h.state(now), max(1, width-1), "…"))
	}
	if more > 0 {
		out = append(out, runewidth.Truncate(fmt.Sprintf("  and %s more", count(more, "host")), max(1, width-1), "…"))
	}
	return out
}

// state is what follows the name: "copying  23.4 MiB of 97.3 MiB  24 %  81.2
// MiB/s  ETA 1.0 s", or the task and how long it has been running.
func (h *busyHost) state(now time.Time) string {
	if h.phase == "" {
		return h.what + "  " + humanTime(now.Sub(h.since).Truncate(100*time.Millisecond))
	}
	parts := []string{fmt.Sprintf("%-11s", h.phase)}
	if h.total > 0 {
		parts = append(parts,
			fmt.Sprintf("%10s of %s", humanBytes(h.done), humanBytes(h.total)),
			fmt.Sprintf("%3d %%", min(100, h.done*100/h.total)))
	} else {
		parts = append(parts, fmt.Sprintf("%10s", humanBytes(h.done)))
	}
	if rate := h.rate(); rate > 0 {
		parts = append(parts, humanBytes(int64(rate))+"/s")
		if left := h.total - h.done; h.total > 0 && left > 0 {
			parts = append(parts, "ETA "+humanTime(time.Duration(float64(left)/rate*float64(time.Second))))
		}
	}
	return strings.Join(parts, "  ")
}

// rate is the mean of the phase, in bytes a second; 0 if it is too early to
// tell.
func (h *busyHost) rate() float64 {
	took := h.updated.Sub(h.phaseBegan)
	if took < patience/2 {
		return 0
	}
	return float64(h.done-h.phaseFrom) / took.Seconds()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
