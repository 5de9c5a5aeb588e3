// Package zstd owns the task kind zstd: a filter of a pipe, or a file of the
// host compressed where it lies.
//
// It never knows what it compresses.
package zstd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/compress"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "zstd", Summary: "Compresses what passes a pipe, or a file of the host, by Zstandard.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "As `gzip`, faster and smaller; `zstd -d` reads the result. In a pipe it runs on the controller: to save the wire use\n" +
	"`gzip` after a source that is read as it is. Alone it needs the program zstd on the host.\n\n" +
	"```yaml\n" +
	"- pipe:\n" +
	"    - sqlite_copy: { src: /opt/torrust/storage/tracker/lib/database/tracker.db }\n" +
	"    - zstd:\n" +
	"    - fetch: { dest: tracker.db.zst }\n" +
	"```\n"

type task struct {
	Level int    `arg:"level" default:"1" doc:"1 (fast) to 19 (small)"`
	Src   string `arg:"src,required" use:"alone" alias:"path" doc:"the file on the host"`
	Dest  string `arg:"dest" use:"alone" doc:"the compressed file; src with .zst if not given"`
}

var (
	_ pipe.Filter     = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if t.Level < 1 || t.Level > 19 {
		return fmt.Errorf("level %d is not between 1 and 19", t.Level)
	}
	if t.Src != "" && t.Src == t.Dest {
		return errors.New("src and dest are the same file")
	}
	return nil
}

func (t *task) filter() compress.Zstd { return compress.Zstd{Level: t.Level} }

// HostStage implements pipe.Filter.
func (t *task) HostStage() (helper.Stage, bool) { return t.filter().HostStage() }

// Wrap implements pipe.Filter.
func (t *task) Wrap(w io.Writer) (io.WriteCloser, error) { return t.filter().Wrap(w) }

func (t *task) onHost() compress.OnHost {
	dest := t.Dest
	if dest == "" {
		dest = t.Src + ".zst"
	}
	return compress.OnHost{Program: "zstd", Level: t.Level, Src: t.Src, Dest: dest}
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.onHost().Make(ctx, h)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.onHost().Check(ctx, h)
}
