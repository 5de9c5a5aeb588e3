// Package find owns the task kind find: which files below a folder of the host
// match.
//
// It changes nothing.
package find

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "find", Summary: "Lists files of the host by name, age and size.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Returns `files`, a list of mappings as of `stat`, without what find does not tell, sorted by path; `matched`, how many they are; `examined`,\n" +
	"how many were looked at; `skipped_paths`, what could not be looked at, and why. It runs in check mode, too.\n\n" +
	"It needs GNU find on the host. At most 20,000 files are returned; more is an error.\n\n" +
	"```yaml\n" +
	"- find: { paths: /mnt/backups, patterns: \"*.sql.gz\", age: 30d, recurse: true }\n" +
	"  register: stale\n" +
	"- file: { path: \"{{ item.path }}\", state: absent }\n" +
	"  loop: \"{{ stale.files }}\"\n" +
	"```\n"

type task struct {
	Paths    []string `arg:"paths,required" alias:"name,path" doc:"the folders, by their absolute paths"`
	Patterns []string `arg:"patterns" alias:"pattern" doc:"globs for the names, expressions with use_regex; all if not given"`
	Excludes []string `arg:"excludes" alias:"exclude" doc:"like patterns, for what is left out"`
	UseRegex bool     `arg:"use_regex" doc:"patterns and excludes are expressions (RE2) for the whole name"`
	Type     string   `arg:"file_type" default:"file" choices:"any,directory,file,link" doc:"what to list"`
	Recurse  bool     `arg:"recurse" doc:"look into folders below"`
	Depth    int      `arg:"depth" doc:"how far down to look with recurse; 0 means all the way"`
	Hidden   bool     `arg:"hidden" doc:"list names that begin with a dot, too"`
	Follow   bool     `arg:"follow" doc:"follow symbolic links"`
	Age      string   `arg:"age" doc:"at least so old; with a minus at most: 30s, 10m, 6h, 2d, 1w"`
	AgeStamp string   `arg:"age_stamp" default:"mtime" choices:"atime,ctime,mtime" doc:"which time the age is counted from"`
	Size     string   `arg:"size" doc:"at least so big; with a minus at most: 10k, 1m, 5g"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	for _, p := range t.Paths {
		if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "~") {
			return fmt.Errorf("path %q is not absolute", p)
		}
	}
	if t.Depth < 0 {
		return errors.New("depth cannot be negative")
	}
	_, err := t.filter(0)
	return err
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	found, err := t.list(ctx, h)
	if err != nil {
		return tasks.Result{}, err
	}
	return tasks.Result{Outputs: map[string]any{
		"files": found.files, "matched": int64(len(found.files)), "examined": int64(found.examined), "skipped_paths": found.skipped,
	}}, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
