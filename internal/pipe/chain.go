package pipe

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
)

// meter counts and hashes what passes.
type meter struct {
	w   io.Writer
	sum hash.Hash
	n   int64
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.sum.Write(p[:n])
	m.n += int64(n)
	return n, err
}

func (m *meter) measure() helper.Measure {
	return helper.Measure{Bytes: m.n, SHA256: hex.EncodeToString(m.sum.Sum(nil))}
}

// chain is the filters of the controller, each behind a meter, and the
// artifact at the end.
type chain struct {
	out     *catalog.Writer
	filters []io.WriteCloser // in the order of the bytes
	meters  []*meter         // what enters each filter
	closed  int              // how many filters have been closed
}

func newChain(filters []Filter, out *catalog.Writer) (*chain, error) {
	c := &chain{out: out}
	for _, f := range slices.Backward(filters) {
		w, err := f.Wrap(c.head())
		if err != nil {
			c.abandon()
			return nil, err
		}
		c.filters = slices.Insert(c.filters, 0, w)
		c.meters = slices.Insert(c.meters, 0, &meter{w: w, sum: sha256.New()})
	}
	return c, nil
}

// head returns where the bytes enter.
func (c *chain) head() io.Writer {
	if len(c.meters) == 0 {
		return c.out
	}
	return c.meters[0]
}

// finish flushes the filters. It returns the measures of what entered the
// chain and of what each filter made of it.
func (c *chain) finish() ([]helper.Measure, error) {
	for _, f := range c.filters {
		c.closed++
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	var out []helper.Measure
	for _, m := range c.meters {
		out = append(out, m.measure())
	}
	return append(out, helper.Measure{Bytes: c.out.Size(), SHA256: c.out.SHA256()}), nil
}

// abandon frees the filters of a chain that has failed. After finish it does
// nothing, so it may be deferred.
func (c *chain) abandon() {
	for _, f := range c.filters[c.closed:] {
		_ = f.Close() // what it flushes goes to a file that is about to be removed
	}
	c.closed = len(c.filters)
}

// agree compares what the host says it has sent with what has arrived.
func agree(sent, arrived helper.Measure) error {
	switch {
	case sent.Bytes != arrived.Bytes:
		return fmt.Errorf("the host has sent %d bytes, %d have arrived", sent.Bytes, arrived.Bytes)
	case sent.SHA256 != arrived.SHA256:
		return fmt.Errorf("what has arrived differs from what the host has sent (sha256 %.12s…, not %.12s…)", arrived.SHA256, sent.SHA256)
	}
	return nil
}
