// Package lineinfile owns the task kind lineinfile: a line that a file of the
// host must have, or must not have.
//
// It never knows how a file is replaced.
package lineinfile

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "lineinfile", Summary: "Makes sure that a file of the host has a line, or has it not.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "With `state: present` the last line that `regexp` (or `search_string`) finds becomes `line`. If none is found and\n" +
	"`line` is not in the file, it goes after the last line that `insertafter` finds, before the last that `insertbefore`\n" +
	"finds (`firstmatch`: the first), or to the end. With `backrefs` `line` may use the groups of `regexp` as `\\1`, and\n" +
	"nothing is added if it finds nothing. With `state: absent` every line found goes, or every one that equals `line`.\n\n" +
	"Expressions are those of RE2 (https://github.com/google/re2/wiki/Syntax): no look-around, no back references in the\n" +
	"expression itself. What becomes of the file is as with `copy`.\n\n" +
	"Returns `msg`, `backup_file` if one was made, `found` with `state: absent`, and what `copy` returns.\n\n" +
	"```yaml\n" +
	"- lineinfile:\n" +
	"    path: /etc/ssh/sshd_config\n" +
	"    regexp: '^#?PasswordAuthentication '\n" +
	"    line: PasswordAuthentication no\n" +
	"    validate: /usr/sbin/sshd -t -f %s\n" +
	"```\n"

type task struct {
	Path         string     `arg:"path,required" alias:"dest,destfile,name" doc:"the file on the host"`
	Line         string     `arg:"line" alias:"value" doc:"the line"`
	Regexp       string     `arg:"regexp" alias:"regex" doc:"finds the line"`
	Search       string     `arg:"search_string" doc:"finds the line, as plain text in it"`
	State        string     `arg:"state" default:"present" choices:"present,absent" doc:"whether the line is to be there"`
	InsertAfter  string     `arg:"insertafter" doc:"an expression, or EOF"`
	InsertBefore string     `arg:"insertbefore" doc:"an expression, or BOF"`
	FirstMatch   bool       `arg:"firstmatch" doc:"insert at the first line found, not at the last"`
	Backrefs     bool       `arg:"backrefs" doc:"line uses groups of regexp"`
	Create       bool       `arg:"create" doc:"make the file if there is none"`
	Mode         tasks.Mode `arg:"mode" doc:"its permissions, such as \"0640\""`
	Owner        string     `arg:"owner" doc:"who owns it"`
	Group        string     `arg:"group" doc:"its group"`
	Backup       bool       `arg:"backup" doc:"keep the old file beside the new one"`
	Accept       string     `arg:"validate" doc:"a command with %s for the new file that must succeed before the file is replaced"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.Regexp != "" && t.Search != "":
		return errors.New(`give "regexp" or "search_string", not both`)
	case t.InsertAfter != "" && t.InsertBefore != "":
		return errors.New(`give "insertafter" or "insertbefore", not both`)
	case t.Backrefs && t.Regexp == "":
		return errors.New("backrefs needs regexp")
	case t.State == "present" && t.Line == "":
		return errors.New("state present needs line")
	case t.State == "absent" && t.Line == "" && t.Regexp == "" && t.Search == "":
		return errors.New("state absent needs line, regexp or search_string")
	}
	for name, expr := range map[string]string{"regexp": t.Regexp, "insertafter": t.InsertAfter, "insertbefore": t.InsertBefore} {
		if _, err := regexp.Compile(expr); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return hostfile.CheckValidate(t.Accept)
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, false)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, true)
}

func (t *task) make(ctx context.Context, h tasks.Host, check bool) (tasks.Result, error) {
	var err error
	if t.Path, err = hostfile.Home(ctx, h, t.Path); err != nil {
		return tasks.Result{}, err
	}
	content, exists, err := t.read(ctx, h)
	if err != nil {
		return tasks.Result{}, err
	}
	if !exists && t.State == "absent" {
		return tasks.Result{Outputs: map[string]any{"msg": "file not present", "found": int64(0)}}, nil
	}
	if !exists && !t.Create {
		return tasks.Result{}, fmt.Errorf("%s does not exist; create would make it", t.Path)
	}
	after, msg, found := t.edit(content)
	r := hostfile.Replacement{
		Dest: t.Path, Content: hostfile.Text(after), Follow: true, Backup: t.Backup, Validate: t.Accept,
		Attributes: hostfile.Attributes{Mode: t.Mode, Owner: t.Owner, Group: t.Group},
	}
	res, err := r.Make(ctx, h, check)
	if res.Outputs != nil {
		res.Outputs["msg"] = msg
		if t.State == "absent" {
			res.Outputs["found"] = int64(found)
		}
	}
	return res, err
}

func (t *task) read(ctx context.Context, h tasks.Host) (content string, exists bool, err error) {
	facts, err := hostfile.Look(ctx, h, hostfile.Query{Path: t.Path, Follow: true})
	if err != nil || !facts.Exists {
		return "", false, err
	}
	if !facts.IsRegular() {
		return "", false, fmt.Errorf("%s is not a regular file", t.Path)
	}
	data, err := hostfile.Read(ctx, h, t.Path)
	return string(data), true, err
}
