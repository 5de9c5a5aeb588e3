// Package template owns the task kind template: a file on the host, made of a
// Jinja2 template of the controller.
//
// It never knows the variables.
package template

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
	"github.com/torrust/runner/internal/template"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "template", Summary: "Makes a file on the host of a Jinja2 template.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "`src` is looked for in the folder `templates` beside the playbook or role, then beside the playbook. As in Ansible\n" +
	"the newline after a block is dropped (`trim_blocks`). What becomes of `dest`, and what is returned, is as with `copy`.\n\n" +
	"```yaml\n" +
	"- template:\n" +
	"    src: tracker.toml.j2\n" +
	"    dest: /opt/torrust/storage/tracker/etc/tracker.toml\n" +
	"    mode: \"0640\"\n" +
	"```\n"

type task struct {
	Src    string     `arg:"src,required" doc:"the template on the controller"`
	Dest   string     `arg:"dest,required" doc:"the file on the host; a folder if it ends with a slash"`
	Mode   tasks.Mode `arg:"mode" doc:"its permissions, such as \"0640\""`
	Owner  string     `arg:"owner" doc:"who owns it"`
	Group  string     `arg:"group" doc:"its group"`
	Backup bool       `arg:"backup" doc:"keep the old file beside the new one"`
	Force  bool       `arg:"force" default:"true" doc:"replace a file that is there"`
	Follow bool       `arg:"follow" doc:"if dest is a link replace what it points at"`
	Accept string     `arg:"validate" doc:"a command with %s for the new file that must succeed before dest is replaced"`

	TrimBlocks   bool   `arg:"trim_blocks" default:"true" doc:"drop the newline after a block"`
	LstripBlocks bool   `arg:"lstrip_blocks" doc:"drop blanks before a block"`
	Newline      string `arg:"newline_sequence" doc:"how lines end: \\n, \\r\\n or \\r in double quotes"`

	BlockStart    string `arg:"block_start_string" doc:"in place of {%"`
	BlockEnd      string `arg:"block_end_string" doc:"in place of %}"`
	VariableStart string `arg:"variable_start_string" doc:"in place of {{"`
	VariableEnd   string `arg:"variable_end_string" doc:"in place of }}"`
	CommentStart  string `arg:"comment_start_string" doc:"in place of {#"`
	CommentEnd    string `arg:"comment_end_string" doc:"in place of #}"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if strings.HasSuffix(t.Src, "/") {
		return errors.New("src must be a file")
	}
	switch newline.Replace(t.Newline) {
	case "", "\n", "\r", "\r\n":
	default:
		return fmt.Errorf("newline_sequence is %q; it must be \\n, \\r\\n or \\r", t.Newline)
	}
	return hostfile.CheckValidate(t.Accept)
}

// newline reads what is written in single quotes or without any.
var newline = strings.NewReplacer(`\n`, "\n", `\r`, "\r")

func (t *task) options(name string) template.RenderOptions {
	return template.RenderOptions{
		Name: name, KeepBlockNL: !t.TrimBlocks, LstripBlocks: t.LstripBlocks,
		Newline:    newline.Replace(t.Newline),
		BlockStart: t.BlockStart, BlockEnd: t.BlockEnd, VariableStart: t.VariableStart, VariableEnd: t.VariableEnd,
		CommentStart: t.CommentStart, CommentEnd: t.CommentEnd,
	}
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
	if h.Render == nil {
		return tasks.Result{}, errors.New("templates cannot be rendered here")
	}
	name, err := h.Find("templates", t.Src)
	if err != nil {
		return tasks.Result{}, err
	}
	source, err := os.ReadFile(name)
	if err != nil {
		return tasks.Result{}, err
	}
	text, err := h.Render(string(source), t.options(name))
	if err != nil {
		return tasks.Result{}, fmt.Errorf("%s: %w", t.Src, err)
	}
	r := hostfile.Replacement{
		Dest: t.Dest, Name: strings.TrimSuffix(filepath.Base(name), ".j2"), Content: hostfile.Text(text),
		Attributes: hostfile.Attributes{Mode: t.Mode, Owner: t.Owner, Group: t.Group},
		Backup:     t.Backup, Keep: !t.Force, Follow: t.Follow, Validate: t.Accept,
	}
	res, err := r.Make(ctx, h, check)
	if res.Outputs != nil {
		res.Outputs["src"] = t.Src
	}
	return res, err
}
