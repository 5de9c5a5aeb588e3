// Package slurp owns the task kind slurp: a file of the host, as the source of
// a pipe or as a value.
//
// It never knows where a pipe puts the file.
package slurp

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "slurp", Summary: "Reads a file of the host, for a pipe or into a variable.",
		New: func() tasks.Task { return &File{} }, Doc: doc,
	}
}

const doc = "In a pipe it is a source: the file as it is. Of a database that is in use that is no backup; use `sqlite_copy`.\n\n" +
	"Alone it returns `content` in base64, `encoding` and `source`. It changes nothing and runs in check mode, too.\n\n" +
	"```yaml\n" +
	"- slurp: { src: /opt/torrust/.env }\n" +
	"  register: env_file\n" +
	"  no_log: true\n" +
	"- debug: { msg: \"{{ env_file.content | b64decode }}\" }\n" +
	"```\n"

// maxContent is the largest file that becomes a value.
const maxContent = 16 << 20

var errTooBig = errors.New("too big")

// limited refuses more than it may hold.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxContent {
		return 0, errTooBig
	}
	return l.Buffer.Write(p)
}

// Run implements tasks.Task.
func (f *File) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	var content limited
	if _, err := h.Conn.Get(ctx, f.Path, &content); errors.Is(err, errTooBig) {
		return tasks.Result{}, fmt.Errorf("%s is larger than %s; use fetch", f.Path, tasks.Size(maxContent))
	} else if err != nil {
		return tasks.Result{}, err
	}
	return tasks.Result{Outputs: map[string]any{
		"content": base64.StdEncoding.EncodeToString(content.Bytes()), "encoding": "base64", "source": f.Path,
	}}, nil
}

// Check implements tasks.Checker.
func (f *File) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return f.Run(ctx, h) }
