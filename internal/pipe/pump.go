package pipe

import (
	"context"
	"io"
	"time"

	"github.com/torrust/runner/internal/tasks"
)

// pump moves bytes and reports how far it is, a few times a second.
type pump struct {
	phase  string
	total  int64        // 0 if not known
	wire   func() int64 // bytes that crossed the network; nil if none do
	report func(tasks.Progress)

	done int64
	last time.Time
}

const (
	pumpBuffer  = 256 << 10
	reportEvery = 100 * time.Millisecond
)

// run moves all of src to dst. It looks at ctx between two pieces; that a
// blocked Read returns when ctx ends is the reader's promise.
func (p *pump) run(ctx context.Context, src io.Reader, dst io.Writer) error {
	buf := make([]byte, pumpBuffer)
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		n, err := src.Read(buf)
		end := err == io.EOF // not errors.Is: a lost link may wrap it
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return err
			}
			p.done += int64(n)
		}
		if end || time.Since(p.last) >= reportEvery {
			p.tell()
		}
		if end {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *pump) tell() {
	p.last = time.Now()
	progress := tasks.Progress{Phase: p.phase, Done: p.done, Total: p.total}
	if p.wire != nil {
		progress.Wire = p.wire()
	}
	p.report(progress)
}
