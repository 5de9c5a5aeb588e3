package executor

import (
	"errors"
	"sync"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/event"
)

// backupSet is the backup set of a host in this run. It begins when a task
// first asks for it.
type backupSet struct {
	mu    sync.Mutex
	set   *catalog.Set
	err   error
	files int
	bytes int64
}

// beginSet returns the backup set of h.
func (r *run) beginSet(h *host, peer conn.Peer) (*catalog.Set, error) {
	b := &h.set
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set != nil || b.err != nil {
		return b.set, b.err
	}
	meta := catalog.SetMeta{
		Runner: r.o.Version, Addr: peer.Addr, User: peer.User, HostKey: peer.Fingerprint,
		Warn: func(text string) { r.warn(h, text) }, Mask: r.mask,
	}
	for _, f := range r.plan.Playbooks {
		meta.Playbooks = append(meta.Playbooks, catalog.Playbook{Path: f.Path, SHA256: f.SHA256})
	}
	b.set, b.err = r.o.Store.Begin(h.Name, r.o.RunID, meta)
	return b.set, b.err
}

// closeSets ends every set: as a backup if all went well on its host, as
// something incomplete if not. It returns what went wrong, by host.
func (r *run) closeSets() map[string]error {
	errs := map[string]error{}
	for name, h := range r.hosts {
		b := &h.set
		if b.set == nil {
			continue
		}
		status := catalog.Complete
		h.mu.Lock()
		if h.spoiled || h.count.Interrupted > 0 || len(b.set.Missing()) > 0 {
			status = catalog.Incomplete
		}
		h.mu.Unlock()
		path, err := b.set.Commit(status)
		closed := event.SetClosed{Time: r.o.Now(), Host: name, Path: path, Files: b.files, Bytes: b.bytes, Complete: err == nil && status == catalog.Complete}
		if err != nil {
			closed.Error = r.mask(err.Error())
			errs[name] = errors.Join(err, b.set.Abort())
		}
		r.emit(closed)
	}
	return errs
}

// kept tells of an artifact.
func (r *run) kept(h *host, t event.Task, a catalog.Artifact) {
	h.set.mu.Lock()
	h.set.files++
	h.set.bytes += a.Size
	h.set.mu.Unlock()
	facts := map[string]any{"kind": a.Kind, "source": a.Source, "method": a.Method}
	for name, value := range a.Details {
		facts[name] = value
	}
	for _, p := range a.Proofs {
		facts["proof_"+p.Name] = p.Result
	}
	masked, _ := r.o.Secrets.Value(facts).(map[string]any)
	r.emit(event.ArtifactKept{Time: r.o.Now(), Host: h.Name, Task: t, Name: a.Name, Size: a.Size, SHA256: a.SHA256, Facts: masked})
}
