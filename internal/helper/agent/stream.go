package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
)

// Source produces the bytes of a stream, and a report about them.
type Source func(ctx context.Context, params json.RawMessage, w io.Writer) (report any, err error)

// Filter wraps w; Close flushes it, and does not close w.
type Filter func(params json.RawMessage, w io.Writer) (io.WriteCloser, error)

type stage struct {
	Name   string          `json:"name"`
	Params json.RawMessage `json:"params"`
}

// measure counts and hashes what passes.
type measure struct {
	w     io.Writer
	bytes int64
	sum   hash.Hash
}

func newMeasure(w io.Writer) *measure { return &measure{w: w, sum: sha256.New()} }

func (m *measure) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.sum.Write(p[:n])
	m.bytes += int64(n)
	return n, err
}

func (m *measure) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"bytes": m.bytes, "sha256": hex.EncodeToString(m.sum.Sum(nil))})
}

// Stream returns the operation that runs a source through filters. Its result
// has the source's report, and the measure of each stage.
func Stream(sources map[string]Source, filters map[string]Filter) Op {
	return func(ctx context.Context, raw json.RawMessage, out io.Writer) (any, error) {
		var p struct {
			Source  stage   `json:"source"`
			Filters []stage `json:"filters"`
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, invalid("the stages: %v", err)
		}
		source, ok := sources[p.Source.Name]
		if !ok {
			return nil, invalid("the helper has no source %q", p.Source.Name)
		}
		measures := make([]*measure, len(p.Filters)+1)
		closers := make([]io.Closer, len(p.Filters))
		measures[len(p.Filters)] = newMeasure(out)
		for i := len(p.Filters) - 1; i >= 0; i-- {
			f, ok := filters[p.Filters[i].Name]
			if !ok {
				return nil, invalid("the helper has no filter %q", p.Filters[i].Name)
			}
			w, err := f(p.Filters[i].Params, measures[i+1])
			if err != nil {
				return nil, err
			}
			closers[i], measures[i] = w, newMeasure(w)
		}
		report, err := source(ctx, p.Source.Params, measures[0])
		for _, c := range closers { // each flushes into the next
			if closeErr := c.Close(); err == nil {
				err = closeErr
			}
		}
		if err != nil {
			return nil, err
		}
		return map[string]any{"source": report, "stages": measures}, nil
	}
}
