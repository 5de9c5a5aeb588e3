// Package copy owns the task kind copy: a file with a given content on the
// host.
//
// It never knows how a file is replaced.
package copy

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "copy", Summary: "Puts a file of the controller, or a text, on the host.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "`src` is looked for in the folder `files` beside the playbook or role, then beside the playbook. Readers of `dest`\n" +
	"see the old file or the new one. A file that is so already is left alone. The old owner and mode stay unless others\n" +
	"are given; a new file is made as the umask of the host says. Folders are not copied.\n\n" +
	"Returns `dest`, `checksum` (SHA-1), `mode`, `owner`, `group`, `uid`, `gid`, `size`, `state`, and `backup_file` if one\n" +
	"was made. Check mode and `--diff` tell what would change.\n\n" +
	"```yaml\n" +
	"- copy:\n" +
	"    content: |\n" +
	"      [Service]\n" +
	"      Restart=always\n" +
	"    dest: /etc/systemd/system/app.service.d/restart.conf\n" +
	"    mode: \"0644\"\n" +
	"    backup: true\n" +
	"```\n"

type task struct {
	Dest    string     `arg:"dest,required" doc:"the file on the host; a folder if it ends with a slash"`
	Src     string     `arg:"src" doc:"the file on the controller"`
	Content any        `arg:"content" doc:"the text; what is no text is written as JSON"`
	Mode    tasks.Mode `arg:"mode" doc:"its permissions, such as \"0640\""`
	Owner   string     `arg:"owner" doc:"who owns it"`
	Group   string     `arg:"group" doc:"its group"`
	Backup  bool       `arg:"backup" doc:"keep the old file beside the new one"`
	Force   bool       `arg:"force" default:"true" doc:"replace a file that is there"`
	Follow  bool       `arg:"follow" doc:"if dest is a link replace what it points at"`
	Accept  string     `arg:"validate" doc:"a command with %s for the new file that must succeed before dest is replaced"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case (t.Src == "") == (t.Content == nil):
		return errors.New(`give either "src" or "content"`)
	case strings.HasSuffix(t.Src, "/"):
		return errors.New("folders are not copied; archive src and unpack it, or loop over its files")
	case t.Content != nil && strings.HasSuffix(t.Dest, "/"):
		return errors.New("dest is a folder; content needs the name of a file")
	}
	return hostfile.CheckValidate(t.Accept)
}

func (t *task) replacement(h tasks.Host) (hostfile.Replacement, error) {
	r := hostfile.Replacement{
		Dest: t.Dest, Attributes: hostfile.Attributes{Mode: t.Mode, Owner: t.Owner, Group: t.Group},
		Backup: t.Backup, Keep: !t.Force, Follow: t.Follow, Validate: t.Accept,
	}
	if t.Src == "" {
		text, err := contentText(t.Content)
		r.Content = hostfile.Text(text)
		return r, err
	}
	name, err := h.Find("files", t.Src)
	if err != nil {
		return r, err
	}
	r.Name = filepath.Base(name)
	r.Content, err = hostfile.Local(name)
	return r, err
}

func contentText(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
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
	r, err := t.replacement(h)
	if err != nil {
		return tasks.Result{}, err
	}
	res, err := r.Make(ctx, h, check)
	if res.Outputs != nil && t.Src != "" {
		res.Outputs["src"] = t.Src
	}
	return res, err
}
