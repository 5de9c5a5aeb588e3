// Package taskstest owns what the tests of task kinds share: a host that is
// the machine of the test, with a backup set of its own.
//
// It never knows a task kind.
package taskstest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/template"
)

// Host is a tasks.Host and what the tasks have told it.
type Host struct {
	tasks.Host
	Conn   *Conn
	Helper *Helper
	Store  *catalog.Store
	Files  string // where Find looks
	Stdout bytes.Buffer
	Stderr bytes.Buffer

	mu       sync.Mutex
	set      *catalog.Set
	Progress []tasks.Progress
	Kept     []catalog.Artifact
	Warnings []string
}

// New returns a host. Its set ends with the test.
func New(t testing.TB) *Host {
	t.Helper()
	store, err := catalog.Open(filepath.Join(t.TempDir(), "store"))
	must(t, err)
	h := &Host{Store: store, Files: t.TempDir(), Conn: &Conn{}, Helper: &Helper{}}
	h.Host = tasks.Host{
		Name: "web1", Conn: h.Conn, Helper: h.Helper, Set: h.Set, Find: h.find,
		Expand:   func(text string) (string, error) { return text, nil },
		Render:   func(text string, _ template.RenderOptions) (string, error) { return text, nil },
		Stdout:   &h.Stdout,
		Stderr:   &h.Stderr,
		Progress: func(p tasks.Progress) { locked(h, func() { h.Progress = append(h.Progress, p) }) },
		Kept:     func(a catalog.Artifact) { locked(h, func() { h.Kept = append(h.Kept, a) }) },
		Warn:     func(text string) { locked(h, func() { h.Warnings = append(h.Warnings, text) }) },
	}
	t.Cleanup(func() {
		if h.set != nil {
			_ = h.set.Abort()
		}
		_ = store.Close()
	})
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func locked(h *Host, do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

// Set begins the host's set, or returns the one that has begun.
func (h *Host) Set() (*catalog.Set, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.set != nil {
		return h.set, nil
	}
	var err error
	h.set, err = h.Store.Begin(h.Name, "run-1", catalog.SetMeta{})
	return h.set, err
}

// Finish commits the set and returns what is in it. The next Set begins a new one.
func (h *Host) Finish(t testing.TB) catalog.Entry {
	t.Helper()
	_, err := h.set.Commit(catalog.Complete)
	must(t, err)
	h.set = nil
	entry, err := h.Store.Load(h.Name, "")
	must(t, errors.Join(err, entry.Err))
	return entry
}

// Began tells whether a task has asked for the set.
func (h *Host) Began() bool { return h.set != nil }

func (h *Host) find(kind, name string) (string, error) {
	for _, path := range []string{name, filepath.Join(h.Files, kind, name), filepath.Join(h.Files, name)} {
		if filepath.IsAbs(path) {
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	return "", &fs.PathError{Op: "find", Path: name, Err: errors.New("no such file on the controller")}
}

// Tree returns every path below root with its mode, size, time and content,
// to see that nothing has changed.
func Tree(t testing.TB, root string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String() + " " + info.ModTime().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(data)
		}
		tree[path] = text
		return nil
	})
	must(t, err)
	return tree
}
