package pipe

import (
	"context"
	"fmt"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
)

// fetchHost runs a source and its first filters on the host, the others here.
func (r *run) fetchHost(ctx context.Context, src HostSource) (catalog.Artifact, error) {
	params, err := r.hostStages(ctx, src)
	if err != nil {
		return catalog.Artifact{}, err
	}
	w, err := r.set.Create(r.name)
	if err != nil {
		return catalog.Artifact{}, err
	}
	defer w.Abort()
	c, err := newChain(r.local, w)
	if err != nil {
		return catalog.Artifact{}, err
	}
	defer c.abandon()
	stream, err := r.h.Helper.Call(ctx, helper.OpStream, params)
	if err != nil {
		return catalog.Artifact{}, fmt.Errorf("%s: %w", r.source.Kind, err)
	}
	defer stream.Close()
	pump := pump{phase: "copying", wire: stream.Wire, report: r.h.Progress, total: r.expect(src)}
	if err := pump.run(ctx, stream, c.head()); err != nil {
		if e, ok := src.(Explainer); ok {
			err = e.Explain(err)
		}
		return catalog.Artifact{}, err
	}
	var told helper.StreamResult
	if err := stream.Result(&told); err != nil {
		return catalog.Artifact{}, err
	}
	measures, err := c.finish()
	if err != nil {
		return catalog.Artifact{}, err
	}
	if len(told.Stages) != 1+len(r.host) {
		return catalog.Artifact{}, fmt.Errorf("the host reports on %d stages, %d were asked for", len(told.Stages), 1+len(r.host))
	}
	sent := told.Stages[len(told.Stages)-1]
	if err := agree(sent, measures[0]); err != nil {
		return catalog.Artifact{}, err
	}
	out, err := src.Accept(ctx, r.h, told.Source, told.Stages[0])
	if err != nil {
		return catalog.Artifact{}, fmt.Errorf("%s: %w", r.source.Kind, err)
	}
	out.Proofs = append(out.Proofs, catalog.Proof{
		Name: "digest", Result: catalog.Passed,
		Detail: fmt.Sprintf("%d bytes and their SHA-256 agree on both ends", sent.Bytes),
	})
	return r.publish(ctx, w, out, append(told.Stages, measures[1:]...))
}

// hostStages asks the source and the filters what the helper is to run.
func (r *run) hostStages(ctx context.Context, src HostSource) (helper.StreamParams, error) {
	stage, err := src.HostStage(ctx, r.h)
	if err != nil {
		return helper.StreamParams{}, fmt.Errorf("%s: %w", r.source.Kind, err)
	}
	params := helper.StreamParams{Source: stage}
	for _, f := range r.host {
		stage, _ := f.HostStage()
		params.Filters = append(params.Filters, stage)
	}
	if len(r.local) == 0 {
		return params, r.room(r.expect(src))
	}
	return params, nil
}

// expect returns how many bytes the host will send, 0 if that cannot be known:
// nobody knows what a filter makes of an estimate.
func (r *run) expect(src HostSource) int64 {
	if e, ok := src.(Estimator); ok && len(r.host) == 0 {
		return e.Estimate()
	}
	return 0
}
