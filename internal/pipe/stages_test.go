package pipe_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// none is a task that can be no stage.
type none struct{}

func (none) Run(context.Context, tasks.Host) (tasks.Result, error) {
	return tasks.Result{}, errors.New("not a task of its own")
}

// hostSource reads content through the helper's source "bytes".
type hostSource struct {
	none
	prepare error
	accept  error
	size    int64
	look    error
	report  *string
}

func (s hostSource) HostStage(context.Context, tasks.Host) (helper.Stage, error) {
	return helper.Stage{Name: "bytes"}, s.prepare
}

func (s hostSource) Accept(_ context.Context, _ tasks.Host, report json.RawMessage, m helper.Measure) (pipe.Outcome, error) {
	if s.report != nil {
		*s.report = string(report)
	}
	return pipe.Outcome{Method: "plain", Details: map[string]any{"seen": m.Bytes}, Proofs: []catalog.Proof{{Name: "whole", Result: catalog.Passed}}}, s.accept
}

func (s hostSource) Origin() string                         { return "/data" }
func (s hostSource) Estimate() int64                        { return s.size }
func (s hostSource) Look(context.Context, tasks.Host) error { return s.look }

// spoolSource writes content to the spool.
type spoolSource struct {
	none
	content []byte
	err     error
	prove   func(ctx context.Context, h tasks.Host, path string) error
}

func (s spoolSource) Spool(_ context.Context, _ tasks.Host, spool *os.File) (pipe.Outcome, error) {
	if _, err := spool.Write(s.content); err != nil {
		return pipe.Outcome{}, err
	}
	return pipe.Outcome{Method: "rebuilt", Proofs: []catalog.Proof{{Name: "spooled", Result: catalog.Passed}}}, s.err
}

func (s spoolSource) Prove(ctx context.Context, h tasks.Host, path string) ([]catalog.Proof, error) {
	if s.prove != nil {
		if err := s.prove(ctx, h, path); err != nil {
			return nil, err
		}
	}
	return []catalog.Proof{{Name: "integrity_check", Result: catalog.Passed}}, nil
}

func (s spoolSource) Origin() string { return "/db" }

// squeeze is gzip, on the host if host is set.
type squeeze struct {
	none
	host bool
	wrap error
}

func (s squeeze) HostStage() (helper.Stage, bool) { return helper.Stage{Name: "gzip"}, s.host }

func (s squeeze) Wrap(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), s.wrap }

// atLeast is a check.
type atLeast struct {
	none
	bytes int64
	seen  *helper.Measure
	prev  **catalog.Artifact
}

func (c atLeast) Judge(m helper.Measure, prev *catalog.Artifact) (catalog.Proof, error) {
	if c.seen != nil {
		*c.seen = m
	}
	if c.prev != nil {
		*c.prev = prev
	}
	if m.Bytes < c.bytes {
		return catalog.Proof{}, errors.New("too small")
	}
	return catalog.Proof{Name: "size", Result: catalog.Passed}, nil
}

// keep is a sink.
type keep struct {
	none
	name string
}

func (k keep) ArtifactName() (string, error) { return k.name, catalog.CheckName(k.name) }

func stages(of ...any) []pipe.Stage {
	out := make([]pipe.Stage, len(of))
	for i, t := range of {
		s, ok := t.(pipe.Stage)
		if !ok {
			s.Task = t.(tasks.Task)
		}
		switch s.Task.(type) {
		case none:
			s.Kind = "debug"
		case hostSource:
			s.Kind = "slurp"
		case spoolSource:
			s.Kind = "sqlite_copy"
		case squeeze:
			s.Kind = "gzip"
		case atLeast:
			s.Kind = "verify_size"
		case keep:
			s.Kind = "fetch"
		}
		out[i] = s
	}
	return out
}

func on(place string, t tasks.Task) pipe.Stage { return pipe.Stage{Task: t, On: place} }

func gunzip(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
