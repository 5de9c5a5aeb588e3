package taskstest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/torrust/runner/internal/helper"
)

// Helper plays the helper for the operation OpStream, with the source "file"
// and the filter "gzip" unless Source says otherwise.
type Helper struct {
	// Source makes the bytes of the source, and its report.
	Source func(s helper.Stage) ([]byte, any, error)
	// Lie changes what the helper reports.
	Lie func(*helper.StreamResult)
	// Cut ends the stream with an error after so many bytes, if not 0.
	Cut int
	// Gate, if set, is read from before each piece is sent.
	Gate <-chan struct{}

	mu    sync.Mutex
	calls []helper.StreamParams
	open  int
}

var _ helper.Caller = (*Helper)(nil)

// ErrCut is the link that Cut cuts.
var ErrCut = errors.New("the link was cut")

// Calls returns the streams that were asked for.
func (h *Helper) Calls() []helper.StreamParams {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls
}

// Open returns how many streams are open.
func (h *Helper) Open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// Call implements helper.Caller.
func (h *Helper) Call(ctx context.Context, op string, params any) (helper.Stream, error) {
	if op != helper.OpStream {
		return nil, &helper.Error{Code: helper.CodeUnknownOp, Msg: "unknown operation " + op}
	}
	p := params.(helper.StreamParams)
	h.mu.Lock()
	h.calls = append(h.calls, p)
	h.open++
	h.mu.Unlock()
	s := &stream{h: h, ctx: ctx}
	s.err = s.produce(p)
	return s, nil
}

type stream struct {
	h      *Helper
	ctx    context.Context
	data   []byte
	sent   int64
	result helper.StreamResult
	err    error // instead of the stream
	closed bool
}

func (s *stream) produce(p helper.StreamParams) error {
	source := s.h.Source
	if source == nil {
		source = readFile
	}
	data, report, err := source(p.Source)
	if err != nil {
		return err
	}
	if report != nil {
		s.result.Source, _ = json.Marshal(report)
	}
	s.measure(data)
	for _, f := range p.Filters {
		if f.Name != "gzip" {
			return &helper.Error{Code: helper.CodeInvalid, Msg: "unknown filter " + f.Name}
		}
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(data)
		if err = errors.Join(err, z.Close()); err != nil {
			return err
		}
		data = b.Bytes()
		s.measure(data)
	}
	s.data = data
	if s.h.Lie != nil {
		s.h.Lie(&s.result)
	}
	return nil
}

func readFile(s helper.Stage) ([]byte, any, error) {
	var p struct {
		Path string `json:"path"`
	}
	raw, _ := json.Marshal(s.Params)
	if err := json.Unmarshal(raw, &p); err != nil || s.Name != "file" {
		return nil, nil, &helper.Error{Code: helper.CodeInvalid, Msg: fmt.Sprintf("unknown source %s", s.Name)}
	}
	data, err := os.ReadFile(p.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, &helper.Error{Code: helper.CodeNotFound, Msg: p.Path + ": no such file"}
	case err != nil:
		return nil, nil, &helper.Error{Code: helper.CodeFailed, Msg: err.Error()}
	}
	return data, map[string]any{"size": len(data)}, nil
}

func (s *stream) measure(data []byte) {
	sum := sha256.Sum256(data)
	s.result.Stages = append(s.result.Stages, helper.Measure{Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:])})
}

// piece is what one Read yields at most.
const piece = 64 << 10

func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.h.Gate != nil {
		select {
		case <-s.h.Gate:
		case <-s.ctx.Done():
			return 0, context.Cause(s.ctx)
		}
	}
	if s.h.Cut > 0 && s.sent >= int64(s.h.Cut) {
		return 0, ErrCut
	}
	if int64(len(s.data)) == s.sent {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), piece)], s.data[s.sent:])
	s.sent += int64(n)
	return n, nil
}

func (s *stream) Result(v any) error {
	raw, err := json.Marshal(s.result)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

func (s *stream) Wire() int64 { return s.sent }

func (s *stream) Close() error {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.h.open--
	}
	return nil
}
