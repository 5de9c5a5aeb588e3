package file

import (
	"bytes"
	"context"
	"fmt"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// plan returns what makes the path what it is to be, mode and owner aside; nil
// if it is so already.
func (t *task) plan(ctx context.Context, h tasks.Host, state string, now hostfile.Facts) (*step, error) {
	switch state {
	case "absent":
		if !now.Exists {
			return nil, nil
		}
		return &step{script: `rm -rf -- "$4" || exit 1`, args: []string{t.Path}, after: "absent"}, nil
	case "directory":
		return t.planFolder(ctx, h, now)
	case "touch":
		return t.planTouch(now), nil
	case "link":
		return t.planLink(ctx, h, now)
	case "hard":
		return t.planHard(ctx, h, now)
	}
	if !now.Exists {
		return nil, fmt.Errorf("%s does not exist; state touch or directory would make it", t.Path)
	}
	if t.State == "file" && now.IsDir() {
		return nil, t.inTheWay(now, "file")
	}
	return nil, nil
}

// mkdirScript makes the folder $4 and those above it. What it makes gets the
// owner $5, the group $6 and the mode $7.
const mkdirScript = `
d=$4 owner=$5 group=$6 mode=$7
p=$1 follow=$2 sum=$3
set --
while [ ! -e "$d" ]; do set -- "$d" "$@"; d=$(dirname -- "$d"); done
for d in "$@"; do
  mkdir -- "$d" || exit 1
  if [ -n "$owner" ]; then chown -- "$owner" "$d" || exit 1; fi
  if [ -n "$group" ]; then chgrp -- "$group" "$d" || exit 1; fi
  if [ -n "$mode" ]; then chmod -- "$mode" "$d" || exit 1; fi
done
set -- "$p" "$follow" "$sum"`

// differScript prints something if anything in the folder $1 has not the owner
// $2, the group $3 or the mode $4. Links have no mode.
const differScript = `
p=$1 owner=$2 group=$3 mode=$4
set --
if [ -n "$owner" ]; then set -- "$@" -o ! -user "$owner"; fi
if [ -n "$group" ]; then set -- "$@" -o ! -group "$group"; fi
if [ -n "$mode" ]; then set -- "$@" -o ! -type l ! -perm "$mode"; fi
find "$p" \( ! -name '*' "$@" \) -print | head -n 1`

const recurseScript = `
if [ -n "$5" ]; then chown -R -h -- "$5" "$4" || exit 1; fi
if [ -n "$6" ]; then chgrp -R -h -- "$6" "$4" || exit 1; fi
if [ -n "$7" ]; then chmod -R -- "$7" "$4" || exit 1; fi`

func (t *task) planFolder(ctx context.Context, h tasks.Host, now hostfile.Facts) (*step, error) {
	if now.IsLink() && t.Follow {
		var err error
		if now, err = hostfile.Look(ctx, h, hostfile.Query{Path: t.Path, Follow: true}); err != nil {
			return nil, err
		}
	}
	a := t.attributes()
	args := []string{t.Path, a.Owner, a.Group, a.Bits()}
	switch {
	case !now.Exists:
		return &step{script: mkdirScript, args: args, after: "directory"}, nil
	case !now.IsDir():
		return nil, t.inTheWay(now, "directory")
	case !t.Recurse:
		return nil, nil
	}
	var out bytes.Buffer
	if err := h.Conn.Run(ctx, conn.Cmd{Argv: append(append(conn.Shell(differScript), "sh"), args...), Stdout: &out}); err != nil {
		return nil, fmt.Errorf("look through %s: %w", t.Path, err)
	}
	if out.Len() == 0 {
		return nil, nil
	}
	return &step{script: recurseScript, args: args, after: "directory"}, nil
}

func (t *task) planTouch(now hostfile.Facts) *step {
	options := ""
	switch {
	case !now.Exists:
	case t.ATime == "preserve" && t.MTime == "preserve":
		return nil
	case t.ATime == "preserve":
		options = "-m"
	case t.MTime == "preserve":
		options = "-a"
	}
	after := now.State()
	if !now.Exists {
		after = "file"
	}
	return &step{script: `touch $5 -- "$4" || exit 1`, args: []string{t.Path, options}, after: after}
}

// linkScript makes $4 a symbolic link to $5 in one step.
const linkScript = `
t=$4.runner-$$
ln -s -- "$5" "$t" || exit 1
mv -fT -- "$t" "$4" || { rm -f -- "$t"; exit 1; }`

func (t *task) planLink(ctx context.Context, h tasks.Host, now hostfile.Facts) (*step, error) {
	switch {
	case t.Src == "" && now.IsLink():
		return nil, nil
	case t.Src == "":
		return nil, fmt.Errorf("%s is no link; src says what it is to point at", t.Path)
	case now.IsLink() && now.LinkTarget == t.Src:
		return nil, nil
	case now.IsDir():
		return nil, t.inTheWay(now, "link")
	case now.Exists && !now.IsLink() && !t.Force:
		return nil, fmt.Errorf("%w; force would replace it", t.inTheWay(now, "link"))
	}
	if !t.Force {
		target, err := hostfile.Look(ctx, h, hostfile.Query{Path: t.target(), Follow: true})
		if err != nil {
			return nil, err
		}
		if !target.Exists {
			return nil, fmt.Errorf("src %s does not exist; force would link to it all the same", t.target())
		}
	}
	return &step{script: linkScript, args: []string{t.Path, t.Src}, after: "link"}, nil
}

// hardScript makes $4 another name of $5.
const hardScript = `
t=$4.runner-$$
ln -- "$5" "$t" || exit 1
mv -fT -- "$t" "$4" || { rm -f -- "$t"; exit 1; }`

func (t *task) planHard(ctx context.Context, h tasks.Host, now hostfile.Facts) (*step, error) {
	src, err := hostfile.Look(ctx, h, hostfile.Query{Path: t.Src})
	switch {
	case err != nil:
		return nil, err
	case !src.Exists:
		return nil, fmt.Errorf("src %s does not exist", t.Src)
	case now.Exists && now.Inode == src.Inode && now.Dev == src.Dev:
		return nil, nil
	case now.IsDir():
		return nil, t.inTheWay(now, "hard link")
	case now.Exists && !t.Force:
		return nil, fmt.Errorf("%w; force would replace it", t.inTheWay(now, "hard link"))
	}
	return &step{script: hardScript, args: []string{t.Path, t.Src}, after: "hard"}, nil
}
