package hostfile

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/torrust/runner/internal/tasks"
)

// maxDiff is the largest file that is compared line by line, as in Ansible's
// max_diff_size.
const maxDiff = 104448

// diff returns what will change, or a sentence why it cannot be shown.
func (r Replacement) diff(ctx context.Context, h tasks.Host, now Facts) string {
	if r.Size > maxDiff || now.Size > maxDiff {
		return fmt.Sprintf("%s: too long to show what changes\n", r.Dest)
	}
	before, after := limited{max: maxDiff}, limited{max: maxDiff}
	if now.Exists {
		if _, err := h.Conn.Get(ctx, r.Dest, &before); err != nil {
			return fmt.Sprintf("%s: what changes cannot be shown: %v\n", r.Dest, err)
		}
	}
	content, err := r.Open()
	if err != nil {
		return ""
	}
	defer content.Close()
	if _, err := io.Copy(&after, content); err != nil {
		return fmt.Sprintf("%s: what changes cannot be shown: %v\n", r.Dest, err)
	}
	return Diff(r.Dest, before.b.Bytes(), after.b.Bytes())
}

// Diff returns the unified diff of two contents of a file, empty if there is
// none.
func Diff(name string, before, after []byte) string {
	if bytes.IndexByte(before, 0) >= 0 || bytes.IndexByte(after, 0) >= 0 {
		return name + ": binary content differs\n"
	}
	text := diff.Diff(name, before, name, after)
	_, text, _ = bytes.Cut(text, []byte("\n")) // a headline that diff -u has not
	return string(text)
}
