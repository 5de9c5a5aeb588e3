// Package verifysize owns the task kind verify_size: a check of a pipe, or of
// a file of the host.
//
// It never reads what it judges.
package verifysize

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "verify_size", Summary: "Refuses what is too small, too big, or has shrunk too much.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "In a pipe it looks at the number of bytes at its own place: before `gzip` at the plain ones, after it at the\n" +
	"compressed ones. If they do not fit, the artifact is refused. `min_ratio_to_previous` compares with the same place of\n" +
	"the newest good backup of the host: 0.8 refuses one that has lost more than a fifth. Without an earlier backup that\n" +
	"is no failure, and the manifest says so.\n\n" +
	"Alone it looks at the file `path` of the host, and returns its `size`.\n\n" +
	"```yaml\n" +
	"- pipe:\n" +
	"    - sqlite_copy: { src: /opt/torrust/storage/tracker/lib/database/tracker.db }\n" +
	"    - verify_size: { min: 4KiB, min_ratio_to_previous: 0.8 }\n" +
	"    - gzip:\n" +
	"    - fetch: { dest: tracker.db.gz }\n" +
	"```\n"

type task struct {
	Path  string     `arg:"path,required" use:"alone" doc:"the file on the host"`
	Min   tasks.Size `arg:"min" doc:"refuse fewer bytes"`
	Max   tasks.Size `arg:"max" doc:"refuse more bytes; 0 means any number"`
	Ratio float64    `arg:"min_ratio_to_previous" use:"pipe" doc:"refuse less than this part of the earlier size, 0 to 1"`
}

var (
	_ pipe.Check      = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.Min < 0 || t.Max < 0:
		return errors.New("a size cannot be negative")
	case t.Ratio < 0 || t.Ratio > 1:
		return fmt.Errorf("min_ratio_to_previous is %v, it must be between 0 and 1", t.Ratio)
	case t.Max > 0 && t.Min > t.Max:
		return fmt.Errorf("min (%s) is more than max (%s)", t.Min, t.Max)
	case t.Min == 0 && t.Max == 0 && t.Ratio == 0:
		return errors.New("nothing to verify: give min or max, or in a pipe min_ratio_to_previous")
	}
	return nil
}

// Judge implements pipe.Check.
func (t *task) Judge(m helper.Measure, prev *catalog.Artifact) (catalog.Proof, error) {
	size := tasks.Size(m.Bytes)
	proof := catalog.Proof{Name: "size", Result: catalog.Passed}
	if err := t.judge(size); err != nil {
		return proof, err
	}
	said := []string{size.String()}
	if t.Min > 0 {
		said = append(said, "at least "+t.Min.String())
	}
	if t.Max > 0 {
		said = append(said, "at most "+t.Max.String())
	}
	switch {
	case t.Ratio == 0:
	case prev == nil:
		said = append(said, "no earlier backup to compare with")
		if t.Min == 0 && t.Max == 0 {
			proof.Result = catalog.Unknown // nothing else was asked
		}
	case float64(m.Bytes) < t.Ratio*float64(prev.Size):
		return proof, fmt.Errorf("%s is less than %g of the earlier backup's %s", size, t.Ratio, tasks.Size(prev.Size))
	default:
		said = append(said, fmt.Sprintf("at least %g of the earlier %s", t.Ratio, tasks.Size(prev.Size)))
	}
	proof.Detail = strings.Join(said, ", ")
	return proof, nil
}

func (t *task) judge(size tasks.Size) error {
	switch {
	case size < t.Min:
		return fmt.Errorf("%s is less than the minimum of %s (%d of %d bytes)", size, t.Min, size, t.Min)
	case t.Max > 0 && size > t.Max:
		return fmt.Errorf("%s is more than the maximum of %s (%d of %d bytes)", size, t.Max, size, t.Max)
	}
	return nil
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	info, err := h.Conn.Stat(ctx, t.Path)
	if err != nil {
		return tasks.Result{}, err
	}
	if !info.Mode().IsRegular() {
		return tasks.Result{}, fmt.Errorf("%s is not a regular file", t.Path)
	}
	r := tasks.Result{Outputs: map[string]any{"path": t.Path, "size": info.Size()}}
	if err := t.judge(tasks.Size(info.Size())); err != nil {
		return r, fmt.Errorf("%s: %w", t.Path, err)
	}
	return r, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
