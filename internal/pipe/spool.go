package pipe

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/tasks"
)

// fetchSpool lets the source fill a private file, and proves it while the
// filters already read it.
func (r *run) fetchSpool(ctx context.Context, src SpoolSource) (a catalog.Artifact, err error) {
	spool, err := r.set.Scratch(r.source.Kind)
	if err != nil {
		return a, err
	}
	defer func() {
		if e := r.set.Discard(spool); e != nil {
			r.h.Warn(fmt.Sprintf("a temporary file of the backup set stays until its end: %v", e))
		}
	}()
	out, err := src.Spool(ctx, r.h, spool)
	if err != nil {
		return a, fmt.Errorf("%s: %w", r.source.Kind, err)
	}
	w, err := r.set.Create(r.name)
	if err != nil {
		return a, err
	}
	defer w.Abort()
	measures, proofs, err := r.storeAndProve(ctx, src, spool, w)
	if err != nil {
		return a, err
	}
	out.Proofs = append(out.Proofs, proofs...)
	return r.publish(ctx, w, out, measures)
}

// storeAndProve sends the spool through the filters and has it proven at the
// same time. The first failure stops both.
func (r *run) storeAndProve(ctx context.Context, src SpoolSource, spool *os.File, w *catalog.Writer) (measures []helper.Measure, proofs []catalog.Proof, err error) {
	reports := &reports{to: r.h.Progress, storing: true}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		h := r.h
		h.Progress = reports.ofProof
		if proofs, err = src.Prove(ctx, h, spool.Name()); err != nil {
			return fmt.Errorf("%s: %w", r.source.Kind, err)
		}
		return nil
	})
	g.Go(func() (err error) {
		defer reports.stored()
		measures, err = r.store(ctx, spool, w, reports.ofStore)
		return err
	})
	return measures, proofs, g.Wait()
}

func (r *run) store(ctx context.Context, spool *os.File, w *catalog.Writer, report func(tasks.Progress)) ([]helper.Measure, error) {
	info, err := spool.Stat()
	if err != nil {
		return nil, err
	}
	if len(r.local) == 0 {
		if err := r.room(info.Size()); err != nil {
			return nil, err
		}
	}
	c, err := newChain(r.local, w)
	if err != nil {
		return nil, err
	}
	defer c.abandon()
	pump := pump{phase: "storing", total: info.Size(), report: report}
	// The spool is read by its offset: whoever proves it may use its path.
	if err := pump.run(ctx, io.NewSectionReader(spool, 0, info.Size()), c.head()); err != nil {
		return nil, err
	}
	return c.finish()
}

// reports serializes the progress of storing and proving. While both are at
// work only storing is told: its bytes have an end.
type reports struct {
	mu      sync.Mutex
	to      func(tasks.Progress)
	storing bool
}

func (r *reports) ofStore(p tasks.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to(p)
}

func (r *reports) ofProof(p tasks.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.storing {
		r.to(p)
	}
}

func (r *reports) stored() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.storing = false
}
