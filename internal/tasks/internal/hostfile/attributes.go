package hostfile

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/tasks"
)

// Attributes are the mode and the owner that a path is to have. What is empty
// stays as it is.
type Attributes struct {
	Mode         tasks.Mode
	Owner, Group string // a name or a number
}

// Bits returns the mode as chmod takes it, empty if none is given.
func (a Attributes) Bits() string {
	if a.Mode == "" {
		return ""
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(string(a.Mode), "0o"), 8, 32)
	if err != nil {
		return string(a.Mode) // not reached: it was refused when the playbook was read
	}
	return fmt.Sprintf("%04o", n)
}

// Differ tells whether f has other attributes.
func (a Attributes) Differ(f Facts) bool {
	return a.Mode != "" && !f.IsLink() && a.Bits() != f.Mode() ||
		a.Owner != "" && a.Owner != f.User && a.Owner != strconv.FormatInt(f.UID, 10) ||
		a.Group != "" && a.Group != f.Group && a.Group != strconv.FormatInt(f.GID, 10)
}

// applyScript gives $4 the owner $5, the group $6 and the mode $7, and goes on
// as lookScript. Unless links are followed a link's own owner is set; its mode
// means nothing.
const applyScript = `
set -e
case $4 in -*) f=./$4 ;; *) f=$4 ;; esac
if [ -n "$2" ]; then h=; else h=-h; fi
if [ -n "$5" ]; then chown $h -- "$5" "$f"; fi
if [ -n "$6" ]; then chgrp $h -- "$6" "$f"; fi
if [ -n "$7" ] && { [ -n "$2" ] || [ ! -L "$f" ]; }; then chmod -- "$7" "$f"; fi
set +e
`

// Apply gives path the attributes and returns what it is then.
func (a Attributes) Apply(ctx context.Context, h tasks.Host, q Query) (Facts, error) {
	f, err := Script(ctx, h, q, applyScript, q.Path, a.Owner, a.Group, a.Bits())
	if err == nil && !f.Exists {
		err = fmt.Errorf("%s vanished", q.Path)
	}
	return f, err
}
