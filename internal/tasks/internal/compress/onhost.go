package compress

import (
	"context"
	"errors"
	"fmt"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
)

// OnHost is a file of a host that is to be compressed where it lies, by a
// program of the host which takes -LEVEL, -c and -d as gzip does.
type OnHost struct {
	Program   string
	Level     int
	Src, Dest string
}

// compareScript exits with 0 if $2 holds $1 compressed by the program $3, with
// 3 if not, with 4 if $1 cannot be read. compressScript makes it so, with the
// level $4; what it does not finish it removes.
const (
	compareScript = `
if ! [ -f "$1" ] || ! [ -r "$1" ]; then echo "$1: no such file, or not readable" >&2; exit 4; fi
[ -e "$2" ] || exit 3
"$3" -dc < "$2" 2>/dev/null | cmp -s - "$1" || exit 3`
	compressScript = `
umask 077
t=$2.part-$$
trap 'rm -f -- "$t"' EXIT
trap 'exit 1' HUP INT TERM
"$3" -"$4" -c < "$1" > "$t" && chmod --reference="$1" -- "$t" && touch -r "$1" -- "$t" && sync -- "$t" && mv -f -- "$t" "$2"`
)

func (o OnHost) sh(ctx context.Context, h tasks.Host, script string) error {
	return h.Conn.Run(ctx, conn.Cmd{Argv: append(conn.Shell(script), "sh", o.Src, o.Dest, o.Program, fmt.Sprint(o.Level))})
}

// Check tells whether Make would change anything.
func (o OnHost) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	err := o.sh(ctx, h, compareScript)
	differs := false
	if exit, ok := errors.AsType[*conn.ExitError](err); ok && exit.Code == 3 {
		differs, err = true, nil
	}
	return tasks.Result{Changed: differs, Outputs: map[string]any{"src": o.Src, "dest": o.Dest}}, err
}

// Make makes Dest of Src, unless it is so already. Dest appears when it is
// whole, with the mode and the time of Src.
func (o OnHost) Make(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	r, err := o.Check(ctx, h)
	if err != nil || !r.Changed {
		return r, err
	}
	if err := o.sh(ctx, h, compressScript); err != nil {
		return tasks.Result{Outputs: r.Outputs}, err
	}
	return r, nil
}
