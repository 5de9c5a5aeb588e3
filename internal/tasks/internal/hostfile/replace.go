package hostfile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/shlex"
	"github.com/torrust/runner/internal/tasks"
)

// Replacement is a file of the host and what it is to be.
type Replacement struct {
	Dest string
	// Name is what the file is called if Dest is a folder, or ends with a
	// slash. Without it a folder is an error.
	Name string
	Content
	Attributes
	Follow   bool   // replace what a symbolic link points at, not the link
	Backup   bool   // keep the old file beside the new one
	Keep     bool   // leave a file that is there alone
	Validate string // a command with %s for the new file, which must succeed
}

// Make makes the file as it is to be. It changes nothing if check is set, and
// nothing that is so already.
func (r Replacement) Make(ctx context.Context, h tasks.Host, check bool) (tasks.Result, error) {
	now, err := r.locate(ctx, h)
	if err != nil {
		return tasks.Result{}, err
	}
	same := now.IsRegular() && now.Checksum == r.SHA1 || now.Exists && r.Keep
	res := tasks.Result{Changed: !same || r.Differ(now), Outputs: map[string]any{"dest": r.Dest, "checksum": r.SHA1}}
	if h.Diff && !same {
		res.Diff = r.diff(ctx, h, now)
	}
	switch {
	case !res.Changed || check:
	case same:
		now, err = r.Apply(ctx, h, Query{Path: r.Dest, Follow: true})
	default:
		now, err = r.write(ctx, h, now, res.Outputs)
	}
	for k, v := range now.Outputs() {
		res.Outputs[k] = v
	}
	if err != nil {
		return tasks.Result{Outputs: res.Outputs}, err
	}
	return res, nil
}

// locate finds what Dest means, and what is there now.
func (r *Replacement) locate(ctx context.Context, h tasks.Host) (Facts, error) {
	var err error
	if r.Dest, err = Home(ctx, h, r.Dest); err != nil {
		return Facts{}, err
	}
	into := strings.HasSuffix(r.Dest, "/")
	now, err := Look(ctx, h, Query{Path: r.Dest, Follow: true, Checksum: "sha1"})
	if err != nil {
		return now, err
	}
	if now.IsDir() || into {
		if r.Name == "" {
			return now, fmt.Errorf("dest %s is a folder; name the file", r.Dest)
		}
		r.Dest = path.Join(r.Dest, r.Name)
		if now, err = Look(ctx, h, Query{Path: r.Dest, Follow: true, Checksum: "sha1"}); err != nil {
			return now, err
		}
		if now.IsDir() {
			return now, fmt.Errorf("dest %s is a folder", r.Dest)
		}
	}
	if now.Exists {
		if !now.IsRegular() {
			return now, fmt.Errorf("dest %s is not a regular file", r.Dest)
		}
		return now, r.resolve(ctx, h)
	}
	parent, err := Look(ctx, h, Query{Path: path.Dir(r.Dest), Follow: true})
	if err == nil && !parent.IsDir() && !into {
		err = fmt.Errorf("the folder %s does not exist", path.Dir(r.Dest))
	}
	return now, err
}

// resolve follows a link at Dest if that was asked for.
func (r *Replacement) resolve(ctx context.Context, h tasks.Host) error {
	if !r.Follow {
		return nil
	}
	link, err := Look(ctx, h, Query{Path: r.Dest})
	if err == nil && link.IsLink() {
		r.Dest = link.LinkSource
	}
	return err
}

// replaceScript moves the file $4 to the place of $5 with the owner $6, the
// group $7 and the mode $8, after a copy of the old one to $9, and goes on as
// lookScript. Its SHA-1 must be $10, if the host can tell. Whatever fails, $4
// goes. What is not given is taken from the old file; a new one is made as the
// umask says.
const replaceScript = `
set -e
t=$4 d=$5 owner=$6 group=$7 mode=$8 backup=$9 want=${10}
trap 'rm -f -- "$t"' EXIT
trap 'exit 1' HUP INT TERM
if got=$(sha1sum < "$t" 2>/dev/null) && [ "${got%% *}" != "$want" ]; then
  echo "what has arrived differs from what was sent" >&2
  exit 1
fi
if [ -e "$d" ]; then
  chown -- "$(stat -L -c %u:%g -- "$d")" "$t" 2>/dev/null || [ -n "$owner" ] || echo owner_lost=1
  if [ -z "$mode" ]; then mode=$(stat -L -c %a -- "$d"); fi
  if [ -n "$backup" ]; then cp -p -- "$d" "$backup"; fi
elif [ -z "$mode" ]; then
  mode="=rw"
fi
if [ -n "$owner" ]; then chown -- "$owner" "$t"; fi
if [ -n "$group" ]; then chgrp -- "$group" "$t"; fi
chmod -- "$mode" "$t"
mv -f -- "$t" "$d"
trap - EXIT
set +e
`

// write puts the content beside Dest, and then in its place.
func (r Replacement) write(ctx context.Context, h tasks.Host, now Facts, outputs map[string]any) (Facts, error) {
	if err := makeParent(ctx, h, r.Dest, now); err != nil {
		return now, err
	}
	base := path.Base(r.Dest)
	temp := path.Join(path.Dir(r.Dest), ".runner-"+base[:min(len(base), 150)]+"-"+rand.Text()[:8])
	content, err := r.Open()
	if err != nil {
		return now, err
	}
	defer content.Close()
	if err := h.Conn.Put(ctx, temp, content, 0o600); err != nil {
		return now, err
	}
	if err := r.validate(ctx, h, temp); err != nil {
		return now, errors.Join(err, Remove(ctx, h, temp))
	}
	backup := ""
	if r.Backup && now.Exists {
		backup = fmt.Sprintf("%s.%s~", r.Dest, time.Now().Format("2006-01-02@15:04:05.000"))
		outputs["backup_file"] = backup
	}
	after, err := facts(ctx, h, r.Dest, replaceScript+lookScript,
		r.Dest, "-L", "", temp, r.Dest, r.Owner, r.Group, r.Bits(), backup, r.SHA1)
	if err != nil {
		return now, errors.Join(err, Remove(ctx, h, temp))
	}
	if after.ownerLost {
		h.Warn(r.Dest + " has another owner now: the old one can be kept only by root")
	}
	return after, nil
}

func makeParent(ctx context.Context, h tasks.Host, dest string, now Facts) error {
	if now.Exists {
		return nil
	}
	return h.Conn.Run(ctx, conn.Cmd{Argv: []string{"mkdir", "-p", "--", path.Dir(dest)}})
}

// cleanupTime is how long a cleanup may take after its task was cancelled.
const cleanupTime = 10 * time.Second

// Remove removes what a task has made for its own use, even if the task was
// cancelled.
func Remove(ctx context.Context, h tasks.Host, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if err := h.Conn.Run(ctx, conn.Cmd{Argv: []string{"rm", "-rf", "--", name}}); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

// validate runs the command that must accept the new file.
func (r Replacement) validate(ctx context.Context, h tasks.Host, temp string) error {
	if r.Validate == "" {
		return nil
	}
	words, err := shlex.Split(r.Validate, shlex.Options{})
	if err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	for i, w := range words {
		words[i] = strings.ReplaceAll(w, "%s", temp)
	}
	if err := h.Conn.Run(ctx, conn.Cmd{Argv: words}); err != nil {
		return fmt.Errorf("validate refuses the new %s: %w", r.Dest, err)
	}
	return nil
}

// CheckValidate says why a command cannot validate a new file. The empty one
// validates nothing.
func CheckValidate(command string) error {
	if command == "" {
		return nil
	}
	if _, err := shlex.Split(command, shlex.Options{}); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	if !strings.Contains(command, "%s") {
		return errors.New("validate must contain %s, which stands for the new file")
	}
	return nil
}
