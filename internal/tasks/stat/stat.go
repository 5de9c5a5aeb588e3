// Package stat owns the task kind stat: what a path on the host is.
//
// It changes nothing.
package stat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "stat", Summary: "Tells what a path on the host is.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Returns `stat`, a mapping: `exists`; and if it does: `path`, `mode`, `isreg`, `isdir`, `islnk`, `isblk`, `ischr`,\n" +
	"`isfifo`, `issock`, `size`, `uid`, `gid`, `pw_name`, `gr_name`, `inode`, `dev`, `nlink`, `atime`, `mtime`, `ctime`,\n" +
	"`blocks`, `block_size`, `readable`, `writeable`, `executable`, `isuid`, `isgid`, `rusr` … `xoth`, `checksum` (of a\n" +
	"regular file that can be read), `lnk_source` and `lnk_target`. A path that does not exist is no failure.\n\n" +
	"It runs in check mode, too.\n\n" +
	"```yaml\n" +
	"- stat: { path: /opt/torrust/.env }\n" +
	"  register: env_file\n" +
	"- fail: { msg: \"there is no .env\" }\n" +
	"  when: not env_file.stat.exists\n" +
	"```\n"

type task struct {
	Path        string `arg:"path,required" alias:"dest,name" doc:"the path"`
	Follow      bool   `arg:"follow" doc:"describe what a symbolic link points at"`
	GetChecksum bool   `arg:"get_checksum" default:"true" doc:"return the digest of a regular file"`
	Algorithm   string `arg:"checksum_algorithm" alias:"checksum,checksum_algo" default:"sha1" choices:"md5,sha1,sha224,sha256,sha384,sha512" doc:"of the digest"`
	GetMime     bool   `arg:"get_mime" alias:"mime,mime_type,mime-type" doc:"must be false: types are not guessed"`
	GetAttrs    bool   `arg:"get_attributes" alias:"attr,attributes" doc:"must be false: attributes of the file system are not read"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.GetMime:
		return errors.New("get_mime is not supported")
	case t.GetAttrs:
		return errors.New("get_attributes is not supported")
	}
	return nil
}

// script prints one fact a line. Its arguments are the path, -L or nothing,
// and the program that makes a digest or nothing. It exits with 3 if the path
// does not exist, with 4 if that cannot be told.
const script = `
p=$1 follow=$2 sum=$3
case $p in -*) p=./$p ;; esac
facts=$(LC_ALL=C stat $follow -c 'raw=%f
uid=%u
gid=%g
size=%s
atime=%X
mtime=%Y
ctime=%Z
inode=%i
nlink=%h
dev=%d
pw_name=%U
gr_name=%G
blocks=%b
block_size=%o' -- "$p" 2>&1) || {
  case $facts in *'No such file'* | *'Not a directory'*) exit 3 ;; esac
  printf '%s\n' "$facts" >&2
  exit 4
}
printf '%s\n' "$facts"
if [ -r "$p" ]; then echo readable=1; fi
if [ -w "$p" ]; then echo writeable=1; fi
if [ -x "$p" ]; then echo executable=1; fi
if [ -n "$sum" ] && [ -f "$p" ] && [ -r "$p" ] && { [ -n "$follow" ] || [ ! -L "$p" ]; }; then
  digest=$("$sum" < "$p") && echo "checksum=${digest%% *}"
fi
if [ -L "$p" ] && [ -z "$follow" ]; then
  printf 'lnk_target=%s\n' "$(readlink -- "$p")"
  printf 'lnk_source=%s\n' "$(readlink -f -- "$p")"
fi
exit 0
`

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	follow, sum := "", ""
	if t.Follow {
		follow = "-L"
	}
	if t.GetChecksum {
		sum = t.Algorithm + "sum"
	}
	var out, complaint bytes.Buffer
	argv := append(conn.Shell(script), "sh", t.Path, follow, sum)
	err := h.Conn.Run(ctx, conn.Cmd{Argv: argv, Stdout: &out, Stderr: &complaint})
	if exit, ok := errors.AsType[*conn.ExitError](err); ok {
		if exit.Code == 3 {
			return result(map[string]any{"exists": false}), nil
		}
		return tasks.Result{}, fmt.Errorf("stat %s: %s", t.Path, reason(complaint.String(), t.Path, exit))
	}
	if err != nil {
		return tasks.Result{}, err
	}
	stat, err := describe(out.String())
	if err != nil {
		return tasks.Result{}, fmt.Errorf("stat %s: %w", t.Path, err)
	}
	stat["path"] = t.Path
	return result(stat), nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }

func result(stat map[string]any) tasks.Result {
	return tasks.Result{Outputs: map[string]any{"stat": stat}}
}

// reason leaves out of the host's complaint what is said anyway.
func reason(complaint, path string, exit *conn.ExitError) string {
	complaint = strings.TrimSpace(complaint)
	if complaint == "" {
		return exit.Error()
	}
	if _, after, ok := strings.Cut(complaint, path); ok {
		return strings.TrimLeft(after, "':’ ")
	}
	return complaint
}
