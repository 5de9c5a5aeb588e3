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

	"github.com/torrust/runner/internal/conn"
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

// compareScript exits with 0 if $2 holds $1 compressed, with 3 if not.
// compressScript makes it so; what it does not finish it removes.
const (
	compareScript  = `[ -f "$1" ] && [ -r "$1" ] || { echo "$1: no such file, or not readable" >&2; exit 4; }; [ -e "$2" ] || exit 3; gzip -dc < "$2" 2>/dev/null | cmp -s - "$1" || exit 3`
	compressScript = `umask 077; t=$2.part-$$; trap 'rm -f "$t"' EXIT; trap 'exit 1' HUP INT TERM
gzip -"$3" -n -c < "$1" > "$t" && chmod --reference="$1" "$t" && touch -r "$1" "$t" && sync "$t" && mv -f "$t" "$2"`
)

func (t *task) dest() string {
	if t.Dest == "" {
		return t.Src + ".gz"
	}
	return t.Dest
}

func (t *task) sh(ctx context.Context, h tasks.Host, script string) error {
	return h.Conn.Run(ctx, conn.Cmd{Argv: append(conn.Shell(script), "sh", t.Src, t.dest(), fmt.Sprint(t.Level))})
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	err := t.sh(ctx, h, compareScript)
	differs := false
	if exit, ok := errors.AsType[*conn.ExitError](err); ok && exit.Code == 3 {
		differs, err = true, nil
	}
	return tasks.Result{Changed: differs, Outputs: map[string]any{"src": t.Src, "dest": t.dest()}}, err
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	r, err := t.Check(ctx, h)
	if err != nil || !r.Changed {
		return r, err
	}
	if err := t.sh(ctx, h, compressScript); err != nil {
		return tasks.Result{Outputs: r.Outputs}, err
	}
	return r, nil
}
