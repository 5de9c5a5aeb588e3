package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn"
)

// Files moves files by commands alone: for users that SFTP does not know, and
// for hosts without SFTP.
type Files struct {
	Run func(ctx context.Context, c conn.Cmd) error
}

// The scripts end with these if the file is missing, or must not be touched.
const (
	exitMissing = 66
	exitDenied  = 77
)

// judge ends a script with a code that says why the path cannot be read.
const judge = `f=$1; if [ ! -e "$f" ] && [ ! -L "$f" ]; then d=${f%/*}; [ -x "${d:-/}" ] && exit 66; [ -e "${d:-/}" ] && exit 77; exit 66; fi; `

const (
	getScript  = judge + `[ -r "$f" ] || exit 77; [ -d "$f" ] && { echo "it is a directory" >&2; exit 1; }; exec cat -- "$f"`
	statScript = judge + `exec stat -c '%f %s %Y' -- "$f"`
)

// Get streams the file at path into w.
func (f Files) Get(ctx context.Context, path string, w io.Writer) (fs.FileInfo, error) {
	info, err := f.stat(ctx, path, "-L")
	if err != nil {
		return nil, err
	}
	err = f.Run(ctx, conn.Cmd{Argv: append(conn.Shell(getScript), "sh", path), Stdout: w})
	return info, explain("get", path, err)
}

// Stat describes path without following a final symbolic link.
func (f Files) Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	return f.stat(ctx, path, "")
}

func (f Files) stat(ctx context.Context, file, option string) (fs.FileInfo, error) {
	script := statScript
	if option != "" {
		script = strings.Replace(script, "stat -c", "stat "+option+" -c", 1)
	}
	var out bytes.Buffer
	err := f.Run(ctx, conn.Cmd{Argv: append(conn.Shell(script), "sh", file), Stdout: &out})
	if err != nil {
		return nil, explain("stat", file, err)
	}
	fields := strings.Fields(out.String())
	if len(fields) != 3 {
		return nil, fmt.Errorf("stat %s: the host answered %q", file, out.String())
	}
	mode, errMode := strconv.ParseUint(fields[0], 16, 32)
	size, errSize := strconv.ParseInt(fields[1], 10, 64)
	mtime, errTime := strconv.ParseInt(fields[2], 10, 64)
	if err := errors.Join(errMode, errSize, errTime); err != nil {
		return nil, fmt.Errorf("stat %s: %w", file, err)
	}
	return info{path.Base(file), size, unixMode(uint32(mode)), time.Unix(mtime, 0)}, nil
}

// putFile writes its input to a temporary file beside the target, and moves
// it there once all has arrived: the input ends with a mark, since a stream
// that was cut looks like one that has ended.
const putFile = `umask 077
t="${1%/*}/.runner-$$-${1##*/}"
trap 'rm -f -- "$t"' EXIT
trap 'exit 1' HUP INT TERM
if [ -d "$1" ]; then echo "it is a directory" >&2; exit 1; fi
cat >"$t" || { [ -w "${1%/*}/" ] || exit 77; exit 1; }
n=$(tail -c 17 -- "$t") || exit 1
[ "$n" = "
$3" ] || { echo "the upload was cut" >&2; exit 1; }
s=$(wc -c <"$t") && truncate -s $((s-17)) -- "$t" || exit 1
chmod "$2" -- "$t" && mv -f -- "$t" "$1"`

// Put replaces the file at path with what r yields.
func (f Files) Put(ctx context.Context, file string, r io.Reader, mode fs.FileMode) error {
	if !path.IsAbs(file) {
		file = "./" + file
	}
	mark := "end" + strconv.FormatInt(time.Now().UnixNano()%1e13+1e13, 10)[1:]
	mark = (mark + "0000000000000000")[:16]
	source := &cutOnError{r: r}
	in := io.MultiReader(source, &endMark{source: source, mark: "\n" + mark})
	err := f.Run(ctx, conn.Cmd{Argv: append(conn.Shell(putFile), "sh", file, fmt.Sprintf("%04o", octal(mode)), mark), Stdin: in})
	if source.err != nil {
		return fmt.Errorf("put %s: %w", file, source.err)
	}
	return explain("put", file, err)
}

// cutOnError ends early, as if at its end, when its reader fails, and keeps
// the reason.
type cutOnError struct {
	r   io.Reader
	err error
}

func (c *cutOnError) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if err != nil && err != io.EOF {
		c.err, err = err, io.EOF
	}
	return n, err
}

// endMark yields the mark, unless the source failed.
type endMark struct {
	source *cutOnError
	mark   string
}

func (e *endMark) Read(p []byte) (int, error) {
	if e.source.err != nil || e.mark == "" {
		return 0, io.EOF
	}
	n := copy(p, e.mark)
	e.mark = e.mark[n:]
	return n, nil
}

// explain turns the exit codes of the scripts into errors that match
// fs.ErrNotExist and fs.ErrPermission.
func explain(op, file string, err error) error {
	exit, ok := errors.AsType[*conn.ExitError](err)
	switch {
	case err == nil:
		return nil
	case ok && exit.Code == exitMissing:
		return &fs.PathError{Op: op, Path: file, Err: fs.ErrNotExist}
	case ok && exit.Code == exitDenied:
		return &fs.PathError{Op: op, Path: file, Err: fs.ErrPermission}
	case ok && exit.Stderr != "":
		return fmt.Errorf("%s %s: %s", op, file, exit.Stderr)
	}
	return fmt.Errorf("%s %s: %w", op, file, err)
}

type info struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mtime }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

// unixMode translates st_mode, see inode(7).
func unixMode(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	switch m & 0o170000 {
	case 0o040000:
		mode |= fs.ModeDir
	case 0o120000:
		mode |= fs.ModeSymlink
	case 0o060000:
		mode |= fs.ModeDevice
	case 0o020000:
		mode |= fs.ModeDevice | fs.ModeCharDevice
	case 0o010000:
		mode |= fs.ModeNamedPipe
	case 0o140000:
		mode |= fs.ModeSocket
	}
	for bit, flag := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&bit != 0 {
			mode |= flag
		}
	}
	return mode
}

func octal(m fs.FileMode) uint32 {
	n := uint32(m.Perm())
	for bit, flag := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if m&flag != 0 {
			n |= bit
		}
	}
	return n
}
