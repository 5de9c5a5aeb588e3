package pipe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/tasks"
)

// Looker may be implemented by a source that can tell in check mode whether
// its subject could be read. Look must not change anything on the host.
type Looker interface {
	Look(ctx context.Context, h tasks.Host) error
}

// Estimator may be implemented by a HostSource that knows after HostStage how
// many bytes it is going to yield, 0 if it does not.
type Estimator interface{ Estimate() int64 }

// Check implements tasks.Checker.
func (p *pipe) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	name, err := p.sink.ArtifactName()
	if err != nil {
		return tasks.Result{}, err
	}
	if l, ok := p.source.Task.(Looker); ok {
		if err := l.Look(ctx, h); err != nil {
			return tasks.Result{}, fmt.Errorf("%s: %w", p.source.Kind, err)
		}
	}
	return tasks.Result{
		Changed: true,
		Note:    fmt.Sprintf("would bring %s home as %s: %s", p.origin(), name, strings.Join(p.labels, ", ")),
		Outputs: map[string]any{"name": name, "source": p.origin()},
	}, nil
}

// Run implements tasks.Task. The artifact appears in the host's set only if
// everything agrees; otherwise the set is told what it lacks.
func (p *pipe) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	name, err := p.sink.ArtifactName()
	if err != nil {
		return tasks.Result{}, err
	}
	set, err := h.Set()
	if err != nil {
		return tasks.Result{}, err
	}
	r := &run{pipe: p, h: h, set: set, name: name, prev: set.Previous(name), started: time.Now().UTC()}
	a, err := r.fetch(ctx)
	if ctx.Err() != nil && err != nil {
		err = context.Cause(ctx) // whatever else went wrong, this is why
	}
	if err != nil {
		set.Problem(name, err.Error())
		return tasks.Result{Outputs: map[string]any{"name": name, "source": p.origin()}}, err
	}
	h.Kept(a)
	return tasks.Result{
		Changed: true,
		Note:    fmt.Sprintf("%s, %s", name, tasks.Size(a.Size)),
		Outputs: outputs(a, set),
	}, nil
}

// run is one use of a pipe on one host.
type run struct {
	*pipe
	h       tasks.Host
	set     *catalog.Set
	name    string
	prev    *catalog.Artifact
	started time.Time
}

// fetch makes and publishes the artifact.
func (r *run) fetch(ctx context.Context) (catalog.Artifact, error) {
	if r.prev != nil {
		if err := r.room(r.prev.Size); err != nil {
			return catalog.Artifact{}, err
		}
	}
	if src, ok := r.source.Task.(SpoolSource); ok {
		return r.fetchSpool(ctx, src)
	}
	return r.fetchHost(ctx, r.source.Task.(HostSource))
}

// slack is what else a set needs on the disk: manifest, folders.
const slack = 1 << 20

func (r *run) room(need int64) error { return r.set.Room(need + slack) }

// publish asks the checks, and commits what w holds. measures are those of
// the source and of every filter.
func (r *run) publish(ctx context.Context, w *catalog.Writer, out Outcome, measures []helper.Measure) (catalog.Artifact, error) {
	proofs := out.Proofs
	for _, c := range r.checks {
		proof, err := c.check.Judge(measures[c.after], r.earlier(c.after))
		if err != nil {
			return catalog.Artifact{}, fmt.Errorf("%s: %w", c.kind, err)
		}
		proofs = append(proofs, proof)
	}
	if err := context.Cause(ctx); err != nil {
		return catalog.Artifact{}, err
	}
	details := map[string]any{}
	maps.Copy(details, out.Details)
	details[stageBytes] = sizes(measures)
	return w.Commit(catalog.Artifact{
		Kind: r.source.Kind, Source: r.origin(), Method: out.Method, Stages: r.labels,
		Started: r.started, Finished: time.Now().UTC(), Proofs: proofs, Details: details,
	})
}

// stageBytes is the detail of an artifact that holds how many bytes left the
// source and each filter, so that the next run can compare at any place.
const stageBytes = "stage_bytes"

func sizes(measures []helper.Measure) []any {
	out := make([]any, len(measures))
	for i, m := range measures {
		out[i] = m.Bytes
	}
	return out
}

// earlier returns the previous artifact with the size that it had after that
// many filters. It is nil if that is not known: the pipe was another.
func (r *run) earlier(after int) *catalog.Artifact {
	if r.prev == nil {
		return nil
	}
	a := *r.prev
	bytes, _ := a.Details[stageBytes].([]any)
	if after >= len(bytes) || after >= len(a.Stages) || !slices.Equal(a.Stages[:after+1], r.labels[:after+1]) {
		return nil
	}
	n, ok := bytes[after].(float64) // as JSON reads it
	if !ok {
		return nil
	}
	a.Size, a.SHA256 = int64(n), ""
	return &a
}

// outputs is what register gets.
func outputs(a catalog.Artifact, set *catalog.Set) map[string]any {
	proofs := make([]any, len(a.Proofs))
	for i, p := range a.Proofs {
		proofs[i] = map[string]any{"name": p.Name, "result": p.Result, "detail": p.Detail}
	}
	return map[string]any{
		"name": a.Name, "path": set.Dir() + "/" + a.Name, "size": a.Size, "sha256": a.SHA256,
		"source": a.Source, "method": a.Method, "details": a.Details, "proofs": proofs,
	}
}
