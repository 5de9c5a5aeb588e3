// Package fetch owns the task kind fetch: the end of a pipe, or one file of
// the host brought to the controller.
//
// It never knows what the file is.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/ends"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "fetch", Summary: "Keeps what a pipe brings, or brings a file of the host, to the controller.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "In a pipe it is the last stage. `dest` is the name of the artifact within the host's backup set of this run. It\n" +
	"appears only if the source succeeded, and the number of bytes and the SHA-256 of both ends agree.\n\n" +
	"Alone it brings the file `src`:\n\n" +
	"- `dest` relative: into the backup set, as `dest` followed by the path of `src`. It is an artifact like that of a pipe.\n" +
	"- `dest` absolute: to `dest/<host>/<src>` on the controller, as Ansible does.\n" +
	"- `flat: true`: to `dest` itself on the controller, or into it under the name of `src` if it ends with a slash. A\n" +
	"  relative `dest` starts at the controller's current folder.\n\n" +
	"Outside of the backup set files get mode 0600, and a file that is there already with the same content is left alone.\n" +
	"Ansible writes a relative `dest` beside the playbook; here it goes to the backup set, whose files are proven and\n" +
	"listed.\n\n" +
	"Returns `dest`, and in a backup set or a pipe `name`, `path`, `size`, `sha256`, `source`, `method`, `details`,\n" +
	"`proofs`; elsewhere `checksum` (SHA-1). `path` holds until the run ends, when the set gets its final name.\n\n" +
	"```yaml\n" +
	"- fetch: { src: /opt/torrust/.env, dest: config }\n\n" +
	"- pipe:\n" +
	"    - sqlite_copy: { src: /opt/torrust/storage/tracker/lib/database/tracker.db }\n" +
	"    - gzip:\n" +
	"    - fetch: { dest: tracker.db.gz }\n" +
	"```\n"

type task struct {
	Dest          string `arg:"dest,required" doc:"where the file goes"`
	Src           string `arg:"src,required" use:"alone" doc:"the file on the host, by its absolute path"`
	Flat          bool   `arg:"flat" use:"alone" doc:"dest is the file itself, on the controller"`
	FailOnMissing bool   `arg:"fail_on_missing" use:"alone" default:"true" doc:"fail if src does not exist"`
	Compare       bool   `arg:"validate_checksum" use:"alone" default:"true" doc:"must be true: what arrives is always compared with what was sent"`
}

var (
	_ pipe.Sink       = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.Src == "": // in a pipe
		_, err := t.ArtifactName()
		return err
	case !strings.HasPrefix(t.Src, "/"):
		return fmt.Errorf("src %q is not an absolute path", t.Src)
	case strings.HasSuffix(t.Src, "/"):
		return fmt.Errorf("src %q is a folder; config_tar brings folders home", t.Src)
	case !t.Compare:
		return errors.New("validate_checksum cannot be turned off")
	case t.inSet():
		return catalog.CheckName(t.name())
	}
	return nil
}

// ArtifactName implements pipe.Sink.
func (t *task) ArtifactName() (string, error) { return ends.Artifact(t.Dest).ArtifactName() }

// inSet tells whether a fetch that stands alone goes to the backup set.
func (t *task) inSet() bool { return !t.Flat && !strings.HasPrefix(t.Dest, "/") }

func (t *task) name() string { return path.Join(t.Dest, t.Src) }

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.orMissing(t.bring(ctx, h))
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	if t.inSet() {
		p, err := t.pipe()
		if err != nil {
			return tasks.Result{}, err
		}
		return t.orMissing(p.(tasks.Checker).Check(ctx, h))
	}
	dest, err := t.local(h.Name)
	if err != nil {
		return tasks.Result{}, err
	}
	err = (&ends.File{Path: t.Src}).Look(ctx, h)
	return t.orMissing(tasks.Result{Changed: err == nil, Note: "would bring " + t.Src + " to " + dest, Outputs: map[string]any{"dest": dest}}, err)
}

func (t *task) bring(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	if !t.inSet() {
		return t.download(ctx, h)
	}
	p, err := t.pipe()
	if err != nil {
		return tasks.Result{}, err
	}
	r, err := p.Run(ctx, h)
	if err == nil {
		r.Outputs["dest"] = r.Outputs["path"]
	}
	return r, err
}

// pipe returns the pipe that brings src into the backup set.
func (t *task) pipe() (tasks.Task, error) {
	return pipe.New([]pipe.Stage{
		{Kind: "fetch", Task: &ends.File{Path: t.Src}},
		{Kind: "fetch", Task: ends.Artifact(t.name())},
	})
}

// orMissing forgives a missing file if that was asked for.
func (t *task) orMissing(r tasks.Result, err error) (tasks.Result, error) {
	if err == nil || t.FailOnMissing || !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	msg := "the remote file does not exist, not transferring, ignored"
	return tasks.Result{Note: msg, Outputs: map[string]any{"file": t.Src, "msg": msg}}, nil
}
