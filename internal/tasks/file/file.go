// Package file owns the task kind file: that a path of the host is a file, a
// folder, a link, or nothing, with the mode and owner it should have.
//
// It never touches the content of a file.
package file

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "file", Summary: "Makes a path a file, a folder, a link, or nothing, with mode and owner.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "States:\n\n" +
	"- `file`: the path must exist; only mode and owner are changed. The default, or what is there.\n" +
	"- `directory`: a folder, those above it included. Mode and owner go to each folder that is made, with `recurse` to all\n" +
	"  that is in it.\n" +
	"- `touch`: an empty file if there is none; else its times become now, unless they are to be `preserve`d.\n" +
	"- `link`, `hard`: a link to `src`. A file in the way is replaced only with `force`.\n" +
	"- `absent`: nothing; a folder goes with all that is in it.\n\n" +
	"Returns `path`, `state`, `mode`, `owner`, `group`, `uid`, `gid`, `size`; for links `dest` and `src`.\n\n" +
	"```yaml\n" +
	"- file: { path: /mnt/backups/torrust, state: directory, mode: \"0750\", owner: torrust }\n" +
	"- file: { src: releases/7, path: /opt/app/current, state: link }\n" +
	"- file: { path: /tmp/restore, state: absent }\n" +
	"```\n"

type task struct {
	Path    string     `arg:"path,required" alias:"dest,name" doc:"the path on the host"`
	State   string     `arg:"state" choices:"file,directory,touch,link,hard,absent" doc:"what it is to be"`
	Src     string     `arg:"src" doc:"what a link points at; relative to the folder of a symbolic link"`
	Mode    tasks.Mode `arg:"mode" doc:"its permissions, such as \"0750\""`
	Owner   string     `arg:"owner" doc:"who owns it"`
	Group   string     `arg:"group" doc:"its group"`
	Recurse bool       `arg:"recurse" doc:"give mode and owner to all that is in a folder"`
	Force   bool       `arg:"force" doc:"link to what does not exist, and replace a file by a link"`
	Follow  bool       `arg:"follow" default:"true" doc:"change what a symbolic link points at, not the link"`
	ATime   string     `arg:"access_time" default:"now" choices:"now,preserve" doc:"of state touch"`
	MTime   string     `arg:"modification_time" default:"now" choices:"now,preserve" doc:"of state touch"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	link := t.State == "link" || t.State == "hard"
	switch {
	case t.State == "absent" && path.Clean("/"+t.Path) == "/":
		return errors.New("this would remove everything")
	case t.State == "hard" && t.Src == "":
		return errors.New("state hard needs src")
	case t.Src != "" && !link:
		return errors.New("src belongs to state link or hard")
	case t.Recurse && t.State != "directory" && t.State != "":
		return errors.New("recurse belongs to state directory")
	}
	return nil
}

func (t *task) attributes() hostfile.Attributes {
	return hostfile.Attributes{Mode: t.Mode, Owner: t.Owner, Group: t.Group}
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, false)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, true)
}

// step is what must be done: a script that makes it so. Without one nothing
// needs to be done.
type step struct {
	script string
	args   []string
	after  string // the state that will be, for the diff
}

func (t *task) make(ctx context.Context, h tasks.Host, check bool) (tasks.Result, error) {
	var err error
	if t.Path, err = hostfile.Home(ctx, h, t.Path); err != nil {
		return tasks.Result{}, err
	}
	now, err := hostfile.Look(ctx, h, hostfile.Query{Path: t.Path})
	if err != nil {
		return tasks.Result{}, err
	}
	state := t.state(now)
	s, err := t.plan(ctx, h, state, now)
	if err != nil {
		return tasks.Result{Outputs: t.outputs(state, now)}, err
	}
	r := tasks.Result{Changed: s != nil, Outputs: t.outputs(state, now)}
	if h.Diff && s != nil {
		r.Diff = hostfile.Diff(t.Path, []byte("state: "+now.State()+"\n"), []byte("state: "+s.after+"\n"))
	}
	follow := t.Follow && state != "link" && state != "absent"
	if s != nil && !check {
		if now, err = hostfile.Script(ctx, h, hostfile.Query{Path: t.Path, Follow: follow}, s.script, s.args...); err != nil {
			return tasks.Result{Outputs: r.Outputs}, err
		}
	} else if now.IsLink() && follow {
		if now, err = hostfile.Look(ctx, h, hostfile.Query{Path: t.Path, Follow: true}); err != nil {
			return r, err
		}
	}
	if a := t.attributes(); now.Exists && a.Differ(now) {
		r.Changed = true
		if !check {
			if now, err = a.Apply(ctx, h, hostfile.Query{Path: t.Path, Follow: follow}); err != nil {
				return tasks.Result{Outputs: r.Outputs}, err
			}
		}
	}
	if !check {
		r.Outputs = t.outputs(state, now)
	}
	return r, nil
}

// state returns what the path is to be if nothing is said: what it is.
func (t *task) state(now hostfile.Facts) string {
	switch {
	case t.State != "":
		return t.State
	case t.Recurse || now.IsDir():
		return "directory"
	}
	return "file"
}

func (t *task) outputs(state string, f hostfile.Facts) map[string]any {
	out := f.Outputs()
	out["path"] = t.Path
	if state == "link" || state == "hard" {
		out["dest"], out["src"] = t.Path, t.Src
	}
	return out
}

// target returns the path that a symbolic link means, for people and checks.
func (t *task) target() string {
	if strings.HasPrefix(t.Src, "/") {
		return t.Src
	}
	return path.Join(path.Dir(t.Path), t.Src)
}

func (t *task) inTheWay(now hostfile.Facts, wanted string) error {
	return fmt.Errorf("%s is a %s, not a %s", t.Path, now.State(), wanted)
}
