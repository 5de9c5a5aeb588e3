// Package hostfile owns what task kinds share about files of a host: telling
// what is at a path, giving it mode and owner, and replacing its content so
// that readers see the old or the new one.
//
// It never knows which kind asks.
package hostfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
)

// Facts is what is at a path. The zero Facts is nothing.
type Facts struct {
	Exists                          bool
	Raw                             uint32 // st_mode, see inode(7)
	UID, GID, Size                  int64
	User, Group                     string
	Inode, Links, Dev               int64
	Blocks, BlockSize               int64
	Atime, Mtime, Ctime             float64 // seconds since 1970
	Readable, Writeable, Executable bool    // by the user that the task runs as
	Checksum                        string  // of a regular file that can be read, if it was asked for
	LinkTarget                      string  // of a symbolic link, as written
	LinkSource                      string  // of a symbolic link, resolved

	ownerLost bool // of a file that was replaced
}

// Query says what Look is to tell.
type Query struct {
	Path     string
	Follow   bool   // describe what a symbolic link points at
	Checksum string // "sha1", "sha256", …; empty for none
}

// lookScript prints one fact a line about the path $1. $2 is -L to follow a
// link, $3 is the program that makes a digest; both may be empty. It exits
// with 3 if there is nothing, with 4 if that cannot be told.
const lookScript = `
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

// Look tells what is at a path, in one round trip. Nothing there is no error.
func Look(ctx context.Context, h tasks.Host, q Query) (Facts, error) {
	follow, sum := "", ""
	if q.Follow {
		follow = "-L"
	}
	if q.Checksum != "" {
		sum = q.Checksum + "sum"
	}
	return facts(ctx, h, q.Path, lookScript, q.Path, follow, sum)
}

// Script runs a script on the host, whose arguments are $4 and on, and tells
// what is at the path then. A script that fails must exit with 1. It runs with
// q's path in $1, which it must leave as it is, as $2 and $3.
func Script(ctx context.Context, h tasks.Host, q Query, script string, args ...string) (Facts, error) {
	follow := ""
	if q.Follow {
		follow = "-L"
	}
	return facts(ctx, h, q.Path, script+"\n"+lookScript, append([]string{q.Path, follow, ""}, args...)...)
}

// facts runs a script that ends with lookScript.
func facts(ctx context.Context, h tasks.Host, path, script string, args ...string) (Facts, error) {
	var out, complaint bytes.Buffer
	argv := append(append(conn.Shell(script), "sh"), args...)
	err := h.Conn.Run(ctx, conn.Cmd{Argv: argv, Stdout: &out, Stderr: &complaint})
	if exit, ok := errors.AsType[*conn.ExitError](err); ok {
		if exit.Code == 3 {
			return Facts{}, nil
		}
		return Facts{}, fmt.Errorf("%s: %s", path, reason(complaint.String(), path, exit))
	}
	if err != nil {
		return Facts{}, err
	}
	f, err := describe(out.String())
	if err != nil {
		return Facts{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// reason leaves out of the host's complaint what is said anyway.
func reason(complaint, path string, exit *conn.ExitError) string {
	complaint = strings.TrimSpace(complaint)
	if complaint == "" {
		return exit.Error()
	}
	if _, after, ok := strings.Cut(complaint, path); ok && strings.Trim(after, "':’ ") != "" {
		return strings.TrimLeft(after, "':’ ")
	}
	return complaint
}
