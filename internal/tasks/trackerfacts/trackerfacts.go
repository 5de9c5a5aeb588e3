// Package trackerfacts owns the task kind tracker_facts: what a tracker host
// has, as variables.
//
// It never knows how that is found out; see package discover.
package trackerfacts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/torrust/runner/internal/discover"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/advice"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "tracker_facts", Summary: "Finds out which databases and which configuration a tracker host has.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Sets the variable `tracker` on the host. Nothing is guessed: the driver and the place of a database are what the\n" +
	"tracker itself is told, by its container's environment (`.env` and the compose file, if there is no container), then by\n" +
	"tracker.toml; a path in a container becomes one of the host through what the container mounts. A database file that no\n" +
	"configuration names is not there for this task. It reads only, and never tells a password.\n\n" +
	"`root` is, if it is not given, the folder of the one compose project with a service `tracker`, or `/opt/torrust`.\n\n" +
	"`tracker` has: `root`, `engine` (empty if neither Docker nor Podman could be asked), `free_bytes` and `total_bytes` of the\n" +
	"file system of `root`, `user` (the user ID that looked), `config` (the project's files, and what its services mount below\n" +
	"`/etc`), `containers` (`name`, `service`, `state`, `health`, `image`, `image_id`, `digests`), and `databases`: those of the\n" +
	"tracker, of the index and of Grafana, as far as the project has them. Each has `name`, `driver` (`sqlite3`, `mysql`,\n" +
	"`postgresql`) and `because` (where that is said); one of SQLite has `path`, `bytes`, `wal_bytes` and `journal`\n" +
	"(`wal`, `rollback`), one of a server has `host`, `port`, `database`, `user`, `service` and `container`.\n\n" +
	"It runs in check mode, too.\n\n" +
	"```yaml\n" +
	"- tracker_facts:\n" +
	"- pipe:\n" +
	"    - sqlite_copy: { src: \"{{ item.path }}\" }\n" +
	"    - gzip:\n" +
	"    - fetch: { dest: \"{{ item.name }}.db.gz\" }\n" +
	"  loop: \"{{ tracker.databases | selectattr('driver', 'eq', 'sqlite3') }}\"\n" +
	"  loop_control: { label: \"{{ item.path }}\" }\n" +
	"```\n"

type task struct {
	Root   string `arg:"root" doc:"the folder of the compose project"`
	Config string `arg:"config" doc:"tracker.toml of a tracker that runs without a container; root says nothing then"`
	Engine string `arg:"engine" default:"auto" choices:"auto,docker,podman" doc:"what runs the containers"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	for name, path := range map[string]string{"root": t.Root, "config": t.Config} {
		if path != "" && !strings.HasPrefix(path, "/") {
			return fmt.Errorf("%s: %q is not an absolute path", name, path)
		}
	}
	return nil
}

// Check implements tasks.Checker: looking changes nothing.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	p := discover.Params{Root: t.Root, Config: t.Config}
	if t.Engine != "auto" {
		p.Engine = t.Engine
	}
	stream, err := h.Helper.Call(ctx, discover.Op, p)
	if err != nil {
		return tasks.Result{}, err
	}
	defer stream.Close()
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return tasks.Result{}, refusals.Explain(err)
	}
	var facts discover.Facts
	values := map[string]any{}
	if err := errors.Join(stream.Result(&facts), stream.Result(&values)); err != nil {
		return tasks.Result{}, fmt.Errorf("the host's answer: %w", err)
	}
	for _, note := range facts.Notes {
		h.Warn(note)
	}
	return tasks.Result{Facts: map[string]any{"tracker": values}, Note: summary(facts)}, nil
}

func summary(f discover.Facts) string {
	var out []string
	for _, db := range f.Databases {
		where := db.Path
		if db.Driver != discover.SQLite {
			where = db.Database + " on " + db.Host
		}
		out = append(out, fmt.Sprintf("%s: %s, %s", db.Name, db.Driver, where))
	}
	return strings.Join(out, "; ")
}

// refusals says what to do about a refusal of the host.
var refusals = advice.ByCode{
	discover.CodeNoTracker:  "give root: the folder with the compose file; config: for a tracker without a container",
	discover.CodeSeveral:    "give root: one of them",
	discover.CodeConfig:     "the tracker itself reads it the same way: mend it, or name the database yourself in place of tracker_facts",
	discover.CodeNowhere:    "mount its folder from the host in the compose file, or the database is lost with the container",
	discover.CodePermission: "add become: true to the task: after its first start the tracker's files are its own user's",
}
