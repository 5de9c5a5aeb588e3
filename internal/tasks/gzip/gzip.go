// Package gzip owns the task kind gzip: a filter of a pipe, or a file of the
// host compressed where it lies.
//
// It never knows what it compresses.
package gzip

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
		Name: "gzip", Summary: "Compresses what passes a pipe, or a file of the host.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "In a pipe it compresses what passes: on the host, which saves the wire, if the source is read there as it is; on\n" +
	"the controller if the source is whole only there (`sqlite_copy`). `gunzip` reads the result. Level 1 is the default:\n" +
	"on a tracker's database level 6 takes three times as long for 3 % less.\n\n" +
	"Alone it compresses the file `src` of the host to `dest`, by the host's own gzip. `dest` appears when it is whole, with\n" +
	"the mode and the time of `src`. If it holds the same content already nothing changes.\n\n" +
	"```yaml\n" +
	"- pipe:\n" +
	"    - slurp: { src: /var/log/tracker.log }\n" +
	"    - gzip: { level: 6 }\n" +
	"    - fetch: { dest: tracker.log.gz }\n\n" +
	"- gzip: { src: /var/log/tracker.log.1, dest: /var/log/tracker.log.1.gz }\n" +
	"```\n"

type task struct {
	Level int    `arg:"level" default:"1" doc:"1 (fast) to 9 (small)"`
	Src   string `arg:"src,required" use:"alone" alias:"path" doc:"the file on the host"`
	Dest  string `arg:"dest" use:"alone" doc:"the compressed file; src with .gz if not given"`
}

var (
	_ pipe.Filter     = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if t.Level < 1 || t.Level > 9 {
		return fmt.Errorf("level %d is not between 1 and 9", t.Level)
	}
	if t.Src != "" && t.Src == t.Dest {
		return errors.New("src and dest are the same file")
	}
	return nil
}

func (t *task) filter() compress.Gzip { return compress.Gzip{Level: t.Level} }

// HostStage implements pipe.Filter.
func (t *task) HostStage() (helper.Stage, bool) { return t.filter().HostStage() }

// Wrap implements pipe.Filter.
func (t *task) Wrap(w io.Writer) (io.WriteCloser, error) { return t.filter().Wrap(w) }

func (t *task) onHost() compress.OnHost {
	dest := t.Dest
	if dest == "" {
		dest = t.Src + ".gz"
	}
	return compress.OnHost{Program: "gzip", Level: t.Level, Src: t.Src, Dest: dest}
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.onHost().Make(ctx, h)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.onHost().Check(ctx, h)
}
