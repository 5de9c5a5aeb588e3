// Package checksum owns the task kind checksum: a check of a pipe, or of a file
// of the host, by its SHA-256.
//
// It never reads what it judges: pipes measure what passes them.
package checksum

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "checksum", Summary: "Compares the SHA-256 of what passes a pipe, or of a file of the host.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "In a pipe it looks at the bytes at its own place and writes their digest into the manifest as a proof. With `sha256`\n" +
	"anything else is refused.\n\n" +
	"Alone it returns the `sha256` and the `size` of the file `path` of the host, and fails if `sha256` is another. It runs\n" +
	"in check mode, too.\n\n" +
	"```yaml\n" +
	"- checksum: { path: /opt/app/app.tar, sha256: \"{{ release.sha256 }}\" }\n" +
	"```\n"

type task struct {
	Path   string `arg:"path,required" use:"alone" doc:"the file on the host"`
	SHA256 string `arg:"sha256" doc:"the digest that is expected, in hex"`
}

var (
	_ pipe.Check      = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)

	digest = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if t.SHA256 != "" && !digest.MatchString(t.SHA256) {
		return fmt.Errorf("sha256 %q is not 64 hex digits", t.SHA256)
	}
	return nil
}

func (t *task) judge(sum string) error {
	if t.SHA256 != "" && !strings.EqualFold(t.SHA256, sum) {
		return fmt.Errorf("the SHA-256 is %s, not %s", sum, strings.ToLower(t.SHA256))
	}
	return nil
}

// Judge implements pipe.Check.
func (t *task) Judge(m helper.Measure, _ *catalog.Artifact) (catalog.Proof, error) {
	return catalog.Proof{Name: "checksum", Result: catalog.Passed, Detail: "sha256 " + m.SHA256}, t.judge(m.SHA256)
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	path, err := hostfile.Home(ctx, h, t.Path)
	if err != nil {
		return tasks.Result{}, err
	}
	f, err := hostfile.Look(ctx, h, hostfile.Query{Path: path, Follow: true, Checksum: "sha256"})
	switch {
	case err != nil:
		return tasks.Result{}, err
	case !f.Exists:
		return tasks.Result{}, fmt.Errorf("%s does not exist", path)
	case !f.IsRegular():
		return tasks.Result{}, fmt.Errorf("%s is not a regular file", path)
	case f.Checksum == "":
		return tasks.Result{}, errors.New(path + " cannot be read")
	}
	r := tasks.Result{Outputs: map[string]any{"path": path, "sha256": f.Checksum, "size": f.Size}}
	if err := t.judge(f.Checksum); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
