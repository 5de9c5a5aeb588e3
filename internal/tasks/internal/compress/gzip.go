// Package compress owns the compressors of pipes.
//
// It never knows what passes them.
package compress

import (
	"context"
	"io"
	"runtime"

	"github.com/klauspost/pgzip"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// DefaultLevel is the level of gzip if none is given: what takes three times
// as long makes a tracker's database 3 % smaller.
const DefaultLevel = 1

// Gzip is a filter that compresses, on either end.
type Gzip struct{ Level int }

var (
	_ pipe.Filter = Gzip{}
	_ tasks.Task  = Gzip{}
)

// GzipParams are the parameters of the helper's filter "gzip".
type GzipParams struct {
	Level int `json:"level"`
}

// HostStage implements pipe.Filter.
func (g Gzip) HostStage() (helper.Stage, bool) {
	return helper.Stage{Name: "gzip", Params: GzipParams(g)}, true
}

// Blocks are small and few: fifty hosts may be compressed at once.
const (
	blockSize = 256 << 10
	maxBlocks = 4
)

// Wrap implements pipe.Filter.
func (g Gzip) Wrap(w io.Writer) (io.WriteCloser, error) {
	z, err := pgzip.NewWriterLevel(w, g.Level)
	if err != nil {
		return nil, err
	}
	return z, z.SetConcurrency(blockSize, min(maxBlocks, runtime.GOMAXPROCS(0)))
}

// Run makes a Gzip a task, as every stage must be. It stands only in pipes.
func (g Gzip) Run(context.Context, tasks.Host) (tasks.Result, error) { return onlyInPipes() }
