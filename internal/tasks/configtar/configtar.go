// Package configtar owns the task kind config_tar: configuration files of a
// host as one archive.
//
// It never knows how the archive is made; see package pack.
package configtar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/configtar/pack"
	"github.com/torrust/runner/internal/tasks/internal/ends"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "config_tar", Summary: "Packs configuration files of the host into an archive.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "A source of a pipe: a tar archive that `tar -x` reads, of all that the paths match, folders with all that is in them.\n" +
	"The same files give the same bytes. Names in the archive are the absolute paths without the first slash, owners are\n" +
	"numbers. No temporary file is made on the host.\n\n" +
	"- Each file has the content of one moment: one that changes while it is read is read again, and in the end fails the\n" +
	"  task, or is kept with a warning (`changed: keep`). One that vanishes meanwhile is left out, with a note.\n" +
	"- Symbolic links are kept as links and never followed. Only if a path is itself a link, what it points at is packed,\n" +
	"  too.\n" +
	"- Sockets, pipes and devices are left out, with a note.\n" +
	"- A file that cannot be read fails the task; `become: true` helps.\n" +
	"- Of a database that is in use this makes no backup. SQLite databases are packed with a warning; exclude them and use\n" +
	"  `sqlite_copy`.\n\n" +
	"**Such an archive holds secrets**: `.env` has passwords, Caddy's folder has private keys. It has mode 0600 in the backup\n" +
	"set; encrypt the store, or what leaves it.\n\n" +
	"A pattern of `exclude` without a slash is compared with the last part of a path, one that begins with a slash with all\n" +
	"of it, any other with its end; `**` stands for any folders. What lies below an excluded folder is excluded.\n\n" +
	"Alone it is the pipe `config_tar`, `gzip` if `dest` ends with `.gz`, `fetch`.\n\n" +
	"Details in the manifest and in `details`: `files`, `regular`, `dirs`, `links`, `bytes`, `skipped`, `unstable`.\n\n" +
	"```yaml\n" +
	"- pipe:\n" +
	"    - config_tar:\n" +
	"        paths: [/opt/torrust/.env, /opt/torrust/docker-compose.yml, /opt/torrust/storage/*/etc]\n" +
	"        optional: [/opt/torrust/storage/caddy/data]\n" +
	"        exclude: [\"*.log\", \"*.db\"]\n" +
	"    - gzip:\n" +
	"    - fetch: { dest: config.tar.gz }\n" +
	"```\n"

type task struct {
	Paths     []string       `arg:"paths" alias:"path" doc:"absolute paths or globs; each must match something"`
	Optional  []string       `arg:"optional" doc:"absolute paths or globs that may match nothing"`
	Exclude   []string       `arg:"exclude" doc:"patterns of what is left out"`
	Changed   string         `arg:"changed" default:"fail" choices:"fail,keep" doc:"what to do with a file that changes each time it is read"`
	MaxSize   tasks.Size     `arg:"max_size" default:"1GiB" doc:"refuse more content than this; 0 means any"`
	Generated map[string]any `arg:"generated" doc:"files that are in the archive only, in a folder of their own: text by name, or a value that becomes JSON"`
	Dest      string         `arg:"dest,required" use:"alone" doc:"the name of the archive within the backup set"`

	generated map[string]string // Generated, as text
}

var (
	_ pipe.HostSource = (*task)(nil)
	_ pipe.Looker     = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if t.Dest != "" {
		if err := catalog.CheckName(t.Dest); err != nil {
			return err
		}
	}
	t.generated = map[string]string{}
	for name, v := range t.Generated {
		text, ok := v.(string)
		if !ok {
			data, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				return fmt.Errorf("generated.%s: %w", name, err)
			}
			text = string(data) + "\n"
		}
		t.generated[name] = text
	}
	return t.params().Check()
}

func (t *task) params() pack.Params {
	return pack.Params{Paths: t.Paths, Optional: t.Optional, Exclude: t.Exclude, Changed: t.Changed, MaxSize: int64(t.MaxSize), Generated: t.generated}
}

// Origin implements pipe.HostSource.
func (t *task) Origin() string {
	return strings.Join(append(append([]string{}, t.Paths...), t.Optional...), " ")
}

// missing prints those of its arguments, globs, that match nothing. With an
// empty IFS a word is not split, but still expanded.
const missing = `IFS=
for glob in "$@"; do
  found=
  for f in $glob; do if [ -e "$f" ] || [ -L "$f" ]; then found=1; break; fi; done
  if [ -z "$found" ]; then printf '%s\n' "$glob"; fi
done`

// Look implements pipe.Looker.
func (t *task) Look(ctx context.Context, h tasks.Host) error {
	var out strings.Builder
	err := h.Conn.Run(ctx, conn.Cmd{Argv: append(append(conn.Shell(missing), "sh"), t.Paths...), Stdout: &out})
	if err == nil && out.Len() > 0 {
		err = fmt.Errorf("nothing matches %s", strings.Join(strings.Split(strings.TrimSpace(out.String()), "\n"), ", "))
	}
	return err
}

// HostStage implements pipe.HostSource.
func (t *task) HostStage(context.Context, tasks.Host) (helper.Stage, error) {
	return helper.Stage{Name: "tar", Params: t.params()}, nil
}

// Accept implements pipe.HostSource.
func (t *task) Accept(_ context.Context, h tasks.Host, report json.RawMessage, m helper.Measure) (pipe.Outcome, error) {
	var r pack.Report
	if err := json.Unmarshal(report, &r); err != nil {
		return pipe.Outcome{}, fmt.Errorf("the host's report: %w", err)
	}
	if r.Regular == 0 && r.Links == 0 {
		return pipe.Outcome{}, errors.New("the archive would hold no file")
	}
	for _, note := range r.Skipped {
		h.Warn(note.Path + " is not in the archive: " + note.Why)
	}
	for _, db := range r.Databases {
		h.Warn(db + " is an SQLite database; if it is in use only sqlite_copy makes a safe copy")
	}
	proof := catalog.Proof{Name: "stable", Result: catalog.Passed, Detail: fmt.Sprintf("%d files, each as of one moment", r.Regular)}
	if len(r.Unstable) > 0 {
		proof.Result = catalog.Unknown
		proof.Detail = "changed while they were read: " + strings.Join(r.Unstable, ", ")
		h.Warn(proof.Detail)
	}
	details := map[string]any{}
	if err := json.Unmarshal(report, &details); err != nil {
		return pipe.Outcome{}, fmt.Errorf("the host's report: %w", err)
	}
	return pipe.Outcome{Method: "tar", Proofs: []catalog.Proof{proof}, Details: details}, nil
}

func (t *task) alone() ends.Alone { return ends.Alone{Kind: "config_tar", Source: t, Dest: t.Dest} }

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.alone().Run(ctx, h)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.alone().Check(ctx, h)
}
