package helper

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/torrust/runner/internal/conn"
)

// findScript looks for a folder of ours in which programs may run, and for the
// helper in it. $1 and $2 are the names of the helper for amd64 and arm64, $3
// is a folder to try first. A folder that is a link, or somebody else's, is
// not used: another user could change what we run.
const findScript = `umask 077
case "$(uname -s) $(uname -m)" in
"Linux x86_64") n=$1 ;;
"Linux aarch64") n=$2 ;;
*) echo "system $(uname -s) $(uname -m)"; exit 0 ;;
esac
[ -n "$n" ] || { echo "lacking $(uname -m)"; exit 0; }
u=$(id -u)
tried=
for d in "$3" "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/runner" "/var/tmp/.runner-$u" "/tmp/.runner-$u"; do
	case $d in /*) ;; *) continue ;; esac
	tried="$tried $d"
	mkdir -p "$d" 2>/dev/null
	[ -d "$d" ] && [ ! -L "$d" ] && [ -O "$d" ] && [ -w "$d" ] || continue
	chmod 700 "$d"
	p=$d/$n
	if [ -f "$p" ] && [ ! -L "$p" ] && [ -O "$p" ]; then
		[ -x "$p" ] && { echo "have $p"; exit 0; }
	fi
	t=$d/.probe-$$
	printf '#!/bin/sh\nexit 0\n' >"$t" 2>/dev/null && chmod 700 "$t" && "$t" 2>/dev/null
	r=$?
	rm -f "$t"
	[ "$r" = 0 ] || continue
	echo "need $p"
	exit 0
done
echo "nowhere$tried"`

// putScript takes the helper from its input, gzip-compressed, and puts it at
// $1 if its SHA-256 is $2. Helpers that nobody has put there for a month go.
const putScript = `umask 077
t=$1.$$
trap 'rm -f "$t"' EXIT
trap 'exit 1' HUP INT TERM
gzip -dc >"$t" || exit 1
s=$(sha256sum <"$t") || exit 1
[ "${s%% *}" = "$2" ] || { echo "the helper arrived damaged" >&2; exit 1; }
chmod 700 "$t" && mv -f "$t" "$1" || exit 1
find "${1%/*}" -name 'helper-*' -mtime +30 -exec rm -f {} + 2>/dev/null
exit 0`

// UnfitError reports a host that the helper cannot run on.
type UnfitError struct{ Msg, Advice string }

// Error implements error.
func (e *UnfitError) Error() string { return e.Msg }

// Hint says what to do about it.
func (e *UnfitError) Hint() string { return e.Advice }

// push makes sure that the host has the helper, and returns its path.
func (c *Client) push(ctx context.Context) (string, error) {
	amd64, err := c.o.Programs.arch("amd64")
	if err != nil {
		return "", err
	}
	arm64, err := c.o.Programs.arch("arm64")
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	argv := append(conn.Shell(findScript), "sh", nameOf(amd64), nameOf(arm64), c.o.Dir)
	if err := c.conn.Run(ctx, conn.Cmd{Argv: argv, Stdout: &out}); err != nil {
		return "", fmt.Errorf("look for the helper: %w", err)
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(out.String()), " ")
	switch word {
	case "have":
		return rest, nil
	case "need":
		p := amd64
		if p == nil || !strings.HasSuffix(rest, "/"+p.name) {
			p = arm64
		}
		return rest, c.put(ctx, p, rest)
	case "system":
		return "", &UnfitError{"the host runs " + rest + ", the helper needs Linux on x86_64 or aarch64", "use task kinds that need no helper, such as command and fetch"}
	case "lacking":
		return "", &UnfitError{"this build of the runner has no helper for " + rest, "build it with: make build"}
	case "nowhere":
		return "", &UnfitError{"there is no folder on the host where a program of ours may run; tried: " + rest,
			"mount one of them without noexec, or set ansible_remote_tmp to a folder where programs may run"}
	}
	return "", fmt.Errorf("look for the helper: the host answered %q", out.String())
}

func nameOf(p *program) string {
	if p == nil {
		return ""
	}
	return p.name
}

// put uploads the helper.
func (c *Client) put(ctx context.Context, p *program, path string) error {
	content, err := p.open()
	if err != nil {
		return err
	}
	defer content.Close()
	r, w := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err == nil {
			_, err = io.Copy(z, content)
			err = errors.Join(err, z.Close())
		}
		packed <- err
		_ = w.CloseWithError(err) // never fails
	}()
	err = c.conn.Run(ctx, conn.Cmd{Argv: append(conn.Shell(putScript), "sh", path, p.sum), Stdin: r})
	_ = r.Close() // so that the other end does not wait for a reader
	if packErr := <-packed; err == nil && packErr != nil {
		err = packErr
	}
	if err != nil {
		return fmt.Errorf("put the helper on the host: %w", err)
	}
	return nil
}
