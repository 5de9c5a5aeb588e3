package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/event"
)

// links are the connections of one host: one for each way of connecting,
// opened when it is first needed and kept for the whole run.
type links struct {
	mu   sync.Mutex
	open map[string]conn.Conn
}

// link returns the connection of h that t describes. A failure to connect is
// not remembered: ignore_unreachable and clear_host_errors try again.
func (r *run) link(ctx context.Context, h *host, t conn.Target) (conn.Conn, error) {
	h.links.mu.Lock()
	defer h.links.mu.Unlock()
	key := linkKey(t)
	if c := h.links.open[key]; c != nil {
		return c, nil
	}
	began := r.o.Now()
	r.emit(event.HostConnecting{Time: began, Host: h.Name, Addr: t.Addr()})
	c, err := r.o.Dialer.Dial(ctx, t)
	if err != nil {
		return nil, err
	}
	r.emit(event.HostConnected{Time: r.o.Now(), Host: h.Name, Addr: t.Addr(), Fingerprint: c.Peer().Fingerprint, Took: r.o.Now().Sub(began)})
	h.links.open[key] = c
	return c, nil
}

func linkKey(t conn.Target) string { return t.Connection + " " + t.User + "@" + t.Addr() }

// peer describes the other end, as far as it is known.
func (r *run) peer(h *host, t conn.Target) conn.Peer {
	h.links.mu.Lock()
	defer h.links.mu.Unlock()
	if c := h.links.open[linkKey(t)]; c != nil {
		return c.Peer()
	}
	return conn.Peer{Addr: t.Addr(), User: t.User}
}

// dropLinks closes the connections of a host; what is needed later is opened
// anew.
func (h *host) dropLinks() error {
	h.links.mu.Lock()
	defer h.links.mu.Unlock()
	var errs []error
	for key, c := range h.links.open {
		errs = append(errs, c.Close())
		delete(h.links.open, key)
	}
	return errors.Join(errs...)
}

func (r *run) closeLinks() {
	var wait sync.WaitGroup
	for _, hosts := range []map[string]*host{r.hosts, r.strangers} {
		for _, h := range hosts {
			wait.Go(func() {
				h.closeLeft()
				_ = h.dropLinks() // the work is done: a link that is gone already is no loss
			})
		}
	}
	wait.Wait()
}

// connectionFailure tells whether err is about the way to the host rather
// than about the task, and how the step ends then.
func connectionFailure(err error) (event.Status, bool) {
	if _, ok := errors.AsType[*conn.DialError](err); ok {
		return event.Unreachable, true
	}
	if errors.Is(err, conn.ErrLost) {
		return event.Unknown, true
	}
	return "", false
}

// targetError reports connection variables that make no target. Nothing was
// connected: the host counts as unreachable.
func targetError(name string, err error) error {
	return &conn.DialError{Target: conn.Target{Name: name}, Stage: conn.StageConfig, Err: fmt.Errorf("its connection variables: %w", err)}
}
