// Package stat owns the task kind stat: what a path on the host is.
//
// It changes nothing.
package stat

import (
	"context"
	"errors"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "stat", Summary: "Tells what a path on the host is.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Returns `stat`, a mapping: `exists`; and if it does: `path`, `mode`, `isreg`, `isdir`, `islnk`, `isblk`, `ischr`,\n" +
	"`isfifo`, `issock`, `size`, `uid`, `gid`, `pw_name`, `gr_name`, `inode`, `dev`, `nlink`, `atime`, `mtime`, `ctime`,\n" +
	"`blocks`, `block_size`, `readable`, `writeable`, `executable`, `isuid`, `isgid`, `rusr` … `xoth`, `checksum` (of a\n" +
	"regular file that can be read), `lnk_source` and `lnk_target`. A path that does not exist is no failure.\n\n" +
	"It runs in check mode, too.\n\n" +
	"```yaml\n" +
	"- stat: { path: /opt/torrust/.env }\n" +
	"  register: env_file\n" +
	"- fail: { msg: \"there is no .env\" }\n" +
	"  when: not env_file.stat.exists\n" +
	"```\n"

type task struct {
	Path        string `arg:"path,required" alias:"dest,name" doc:"the path"`
	Follow      bool   `arg:"follow" doc:"describe what a symbolic link points at"`
	GetChecksum bool   `arg:"get_checksum" default:"true" doc:"return the digest of a regular file"`
	Algorithm   string `arg:"checksum_algorithm" alias:"checksum,checksum_algo" default:"sha1" choices:"md5,sha1,sha224,sha256,sha384,sha512" doc:"of the digest"`
	GetMime     bool   `arg:"get_mime" alias:"mime,mime_type,mime-type" doc:"must be false: types are not guessed"`
	GetAttrs    bool   `arg:"get_attributes" alias:"attr,attributes" doc:"must be false: attributes of the file system are not read"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.GetMime:
		return errors.New("get_mime is not supported")
	case t.GetAttrs:
		return errors.New("get_attributes is not supported")
	}
	return nil
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	path, err := hostfile.Home(ctx, h, t.Path)
	if err != nil {
		return tasks.Result{}, err
	}
	q := hostfile.Query{Path: path, Follow: t.Follow}
	if t.GetChecksum {
		q.Checksum = t.Algorithm
	}
	facts, err := hostfile.Look(ctx, h, q)
	if err != nil {
		return tasks.Result{}, err
	}
	stat := facts.Stat()
	if facts.Exists {
		stat["path"] = path
	}
	return tasks.Result{Outputs: map[string]any{"stat": stat}}, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
