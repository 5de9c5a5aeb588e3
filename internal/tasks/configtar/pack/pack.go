// Package pack owns making a tar archive of files that may change while they
// are read. It runs on the host, within the helper: it imports the standard
// library only.
//
// It never knows where the archive goes.
package pack

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Params say what to pack.
type Params struct {
	Paths    []string `json:"paths"`              // absolute; globs; each must match something
	Optional []string `json:"optional,omitempty"` // like Paths, but may match nothing
	Exclude  []string `json:"exclude,omitempty"`  // see match
	// Changed says what to do with a file that changes each time it is
	// read: FailChanged, or KeepChanged with a word in the report.
	Changed string `json:"changed,omitempty"`
	MaxSize int64  `json:"max_size,omitempty"` // of all content; 0 is no limit
	// Generated are files that are in the archive only: text by name. They
	// stand in a folder of their own.
	Generated map[string]string `json:"generated,omitempty"`
}

// The choices for Params.Changed.
const (
	FailChanged = "fail"
	KeepChanged = "keep"
)

// Report is what was packed.
type Report struct {
	Files     []string `json:"files"` // regular files, at most maxListed
	Regular   int      `json:"regular"`
	Dirs      int      `json:"dirs"`
	Links     int      `json:"links"`             // symbolic and hard
	Bytes     int64    `json:"bytes"`             // content of regular files
	Missing   []string `json:"missing,omitempty"` // of Params.Optional, what matches nothing
	Skipped   []Note   `json:"skipped,omitempty"`
	Unstable  []string `json:"unstable,omitempty"`  // changed each time they were read, kept all the same
	Databases []string `json:"databases,omitempty"` // SQLite databases
}

// Note is a path that is not in the archive, and why.
type Note struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// maxListed bounds the lists of a Report.
const maxListed = 2000

// ChangedError reports a file that changed each time it was read.
type ChangedError struct{ Path string }

// Error implements error.
func (e *ChangedError) Error() string { return e.Path + " changes while it is read" }

// SizeError reports that the content is larger than Params.MaxSize.
type SizeError struct {
	Path string // where the limit was passed
	Max  int64
}

// Error implements error.
func (e *SizeError) Error() string {
	return fmt.Sprintf("the archive would hold more than %d bytes; %s passes the limit", e.Max, e.Path)
}

// ParamsError reports parameters that make no sense.
type ParamsError struct{ Msg string }

// Error implements error.
func (e *ParamsError) Error() string { return e.Msg }

// Write writes the archive to w. Names in it are the absolute paths without
// the leading slash; owners are numbers; the order is that of the names, so
// that the same files give the same bytes. Symbolic links are kept as links
// and never followed, but for a path that is named itself: then what it points
// at is packed, too.
//
// Missing paths match fs.ErrNotExist, unreadable ones fs.ErrPermission. The
// other errors are *ChangedError, *SizeError, *ParamsError, and those of w.
func Write(ctx context.Context, w io.Writer, p Params) (Report, error) {
	if err := p.Check(); err != nil {
		return Report{}, err
	}
	return newPacker(ctx, w, p).run()
}

func newPacker(ctx context.Context, w io.Writer, p Params) *packer {
	return &packer{ctx: ctx, p: p, tw: tar.NewWriter(w), seen: map[string]bool{}, inodes: map[inode]string{}, pause: pauseBeforeRetry}
}

func (k *packer) run() (Report, error) {
	roots, err := k.roots()
	if err != nil {
		return Report{}, err
	}
	if err := k.generated(); err != nil {
		return Report{}, err
	}
	for _, root := range roots {
		if err := k.pack(root); err != nil {
			return Report{}, err
		}
	}
	return k.report, k.tw.Close()
}

// GeneratedDir is the folder of Params.Generated in an archive.
const GeneratedDir = "generated-by-runner"

// generated writes the files that no disk has. The same text gives the same
// bytes: they have no time and no owner.
func (k *packer) generated() error {
	for _, name := range slices.Sorted(maps.Keys(k.p.Generated)) {
		text := k.p.Generated[name]
		h := &tar.Header{Typeflag: tar.TypeReg, Name: GeneratedDir + "/" + name, Mode: 0o600, Size: int64(len(text)), Format: tar.FormatPAX}
		if err := k.tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.WriteString(k.tw, text); err != nil {
			return err
		}
	}
	return nil
}

// Check says what is wrong with p.
func (p Params) Check() error {
	if len(p.Paths)+len(p.Optional) == 0 {
		return &ParamsError{"no path given"}
	}
	if p.Changed != "" && p.Changed != FailChanged && p.Changed != KeepChanged {
		return &ParamsError{fmt.Sprintf("changed is %q", p.Changed)}
	}
	for _, path := range append(slices.Clone(p.Paths), p.Optional...) {
		if !filepath.IsAbs(path) {
			return &ParamsError{fmt.Sprintf("path %q is not absolute", path)}
		}
		if _, err := filepath.Match(path, ""); err != nil {
			return &ParamsError{fmt.Sprintf("path %q is not a glob", path)}
		}
	}
	for name := range p.Generated {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			return &ParamsError{fmt.Sprintf("%q cannot be the name of a generated file", name)}
		}
	}
	for _, pattern := range p.Exclude {
		if err := CheckPattern(pattern); err != nil {
			return err
		}
	}
	return nil
}

// packer is one archive at work.
type packer struct {
	ctx    context.Context // of the one Write that owns the packer
	p      Params
	tw     *tar.Writer
	report Report
	seen   map[string]bool  // names in the archive
	inodes map[inode]string // files with several names -> the first
	pause  time.Duration
}

// roots returns what the paths match, sorted, what a named link points at
// included.
func (k *packer) roots() ([]string, error) {
	var roots []string
	for i, pattern := range append(slices.Clone(k.p.Paths), k.p.Optional...) {
		found, err := glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			if i < len(k.p.Paths) {
				return nil, &fs.PathError{Op: "pack", Path: pattern, Err: fs.ErrNotExist}
			}
			k.report.Missing = append(k.report.Missing, pattern)
		}
		for _, path := range found {
			roots = append(roots, path)
			if target, err := filepath.EvalSymlinks(path); err == nil && isLink(path) {
				roots = append(roots, target)
			}
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots), nil
}

// glob is filepath.Glob, but for a pattern without special characters it tells
// a path that cannot be reached from one that is not there.
func glob(pattern string) ([]string, error) {
	if strings.ContainsAny(pattern, `*?[\`) {
		return filepath.Glob(pattern)
	}
	path := filepath.Clean(pattern)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return []string{path}, nil
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().Type() == fs.ModeSymlink
}

func (k *packer) skip(path, why string) {
	if len(k.report.Skipped) < maxListed {
		k.report.Skipped = append(k.report.Skipped, Note{path, why})
	}
}

// note appends a path, once for a file that was read several times.
func note(list *[]string, path string) {
	again := len(*list) > 0 && (*list)[len(*list)-1] == path
	if len(*list) < maxListed && !again {
		*list = append(*list, path)
	}
}
