// Package script owns the task kind script: a script of the controller, run on
// the host.
//
// It never knows what the script does.
package script

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/shlex"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
	"github.com/torrust/runner/internal/tasks/internal/process"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "script", FreeForm: "cmd", Summary: "Runs a script of the controller on the host.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "The first word of the line is looked for in the folder `files` beside the playbook or role, then beside the\n" +
	"playbook; the others are its arguments. The script is put into a private folder of the host, run, and removed.\n" +
	"Its first line says what runs it, unless `executable` does.\n\n" +
	"Returns what `command` returns. In check mode it is skipped, unless `creates` or `removes` tells what would happen.\n\n" +
	"```yaml\n" +
	"- script: rotate-logs.sh --keep 7\n" +
	"  args: { chdir: /var/log/tracker }\n" +
	"```\n"

type task struct {
	Cmd        string `arg:"cmd,required" doc:"the script and its arguments, as one line"`
	Executable string `arg:"executable" doc:"what runs the script, such as python3"`
	Chdir      string `arg:"chdir" doc:"the folder to run in"`
	Creates    string `arg:"creates" doc:"a glob; if it matches something the script does not run"`
	Removes    string `arg:"removes" doc:"a glob; if it matches nothing the script does not run"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	_, err := t.words()
	return err
}

func (t *task) words() ([]string, error) {
	words, err := shlex.Split(t.Cmd, shlex.Options{})
	if err != nil {
		return nil, fmt.Errorf("%q: %w", t.Cmd, err)
	}
	if len(words) == 0 {
		return nil, errors.New("no script given")
	}
	return words, nil
}

func (t *task) command() process.Command {
	return process.Command{Shown: t.Cmd, Dir: t.Chdir, Creates: t.Creates, Removes: t.Removes}
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	if _, _, err := t.find(h); err != nil {
		return tasks.Result{}, err
	}
	return process.Check(ctx, h, t.command())
}

// find returns the script on the controller and its arguments.
func (t *task) find(h tasks.Host) (string, []string, error) {
	words, err := t.words()
	if err != nil {
		return "", nil, err
	}
	name, err := h.Find("files", words[0])
	return name, words[1:], err
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (r tasks.Result, err error) {
	name, args, err := t.find(h)
	if err != nil {
		return tasks.Result{}, err
	}
	c := t.command()
	if why, err := c.Needless(ctx, h); err != nil || why != "" {
		return c.NotRun(why), err
	}
	remote, err := put(ctx, h, name)
	if remote != "" {
		defer func() { err = errors.Join(err, hostfile.Remove(ctx, h, remote)) }()
	}
	if err != nil {
		return tasks.Result{}, err
	}
	c.Creates, c.Removes = "", ""
	c.Argv = append([]string{remote + "/script"}, args...)
	if t.Executable != "" {
		words, err := shlex.Split(t.Executable, shlex.Options{})
		if err != nil {
			return tasks.Result{}, fmt.Errorf("executable: %w", err)
		}
		c.Argv = append(words, c.Argv...)
	}
	return process.Run(ctx, h, c)
}

// put puts the script into a private folder of the host and returns the
// folder, even if the script did not get there.
func put(ctx context.Context, h tasks.Host, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	folder := "/tmp/.runner-script-" + rand.Text()
	if err := h.Conn.Run(ctx, conn.Cmd{Argv: []string{"mkdir", "-m", "700", "--", folder}}); err != nil {
		return "", fmt.Errorf("make %s: %w", folder, err)
	}
	return folder, h.Conn.Put(ctx, folder+"/script", f, 0o700)
}
