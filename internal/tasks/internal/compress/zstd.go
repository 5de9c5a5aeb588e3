package compress

import (
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// Zstd is a filter that compresses on the controller. Level is as of the
// program zstd, 1 to 19.
type Zstd struct{ Level int }

var (
	_ pipe.Filter = Zstd{}
	_ tasks.Task  = Zstd{}
)

// HostStage implements pipe.Filter: the helper has no zstd.
func (z Zstd) HostStage() (helper.Stage, bool) { return helper.Stage{}, false }

// Wrap implements pipe.Filter. It works in the calling goroutine: fifty hosts
// may be compressed at once.
func (z Zstd) Wrap(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(z.Level)), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
}

// Run makes a Zstd a task, as every stage must be. It stands only in pipes.
func (z Zstd) Run(context.Context, tasks.Host) (tasks.Result, error) { return onlyInPipes() }

func onlyInPipes() (tasks.Result, error) {
	return tasks.Result{}, errors.New("a filter is no task of its own")
}
