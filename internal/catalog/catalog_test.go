package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// open opens a store whose clock goes on by a second with each look.
func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "store"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	now := time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC)
	s.now = func() time.Time { now = now.Add(time.Second); return now }
	return s
}

func begin(t *testing.T, s *Store, host string) *Set {
	t.Helper()
	set, err := s.Begin(host, "run", SetMeta{})
	require.NoError(t, err)
	return set
}

func put(t *testing.T, set *Set, name, text string) Artifact {
	t.Helper()
	w, err := set.Create(name)
	require.NoError(t, err)
	_, err = w.Write([]byte(text))
	require.NoError(t, err)
	a, err := w.Commit(Artifact{Kind: "test"})
	require.NoError(t, err)
	return a
}

// visible lists what stands in a folder under a name without a dot.
func visible(t *testing.T, dir string) []string {
	t.Helper()
	names := []string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestWholeOrNothing: until its end a set has no name without a dot, and then
// it is what common tools understand.
func TestWholeOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	host := filepath.Join(s.Path(), "tracker-1")
	set := begin(t, s, "tracker-1")
	assert.Empty(t, visible(t, host))
	a := put(t, set, "sqlite.db.gz", "database")
	put(t, set, "etc/tracker.toml", "configuration")
	sum := sha256.Sum256([]byte("database"))
	assert.Equal(t, Artifact{Name: "sqlite.db.gz", Kind: "test", Size: 8, SHA256: hex.EncodeToString(sum[:]), Proofs: []Proof{}}, a)
	assert.Empty(t, visible(t, host))
	path, err := set.Commit(Complete)
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Base(path), "latest"}, visible(t, host))
	at, err := os.Readlink(filepath.Join(host, "latest"))
	require.NoError(t, err)
	assert.Equal(t, filepath.Base(path), at)

	cmd := exec.CommandContext(t.Context(), "sha256sum", "-c", "--strict", "SHA256SUMS")
	cmd.Dir = path
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		assert.Equal(t, want, info.Mode().Perm(), p)
		return nil
	}))
	e, err := s.Load("tracker-1", "latest")
	require.NoError(t, err)
	require.NoError(t, e.Err)
	assert.Equal(t, []any{"tracker-1", Complete, int64(21)}, []any{e.Manifest.Host, e.Manifest.Status, e.Manifest.Bytes()})
	require.NoError(t, set.Abort(), "after the end it does nothing")
	assert.DirExists(t, path)
}

// TestDeadRuns: what a process that died has left at any point is no backup,
// and the next set of the host removes it. A living one is let alone.
func TestDeadRuns(t *testing.T) {
	t.Parallel()
	s := open(t)
	host := filepath.Join(s.Path(), "h")
	die := func(set *Set) { require.NoError(t, set.free()) } // its lock goes with the process
	for _, leave := range []func(*Set){
		func(*Set) {},
		func(set *Set) { _, err := set.Create("half"); require.NoError(t, err) },
		func(set *Set) { put(t, set, "whole", "x") },
		func(set *Set) { put(t, set, "whole", "x"); require.NoError(t, set.seal(Complete)) },
		func(set *Set) { _, err := set.Scratch("db"); require.NoError(t, err) },
	} {
		set := begin(t, s, "h")
		leave(set)
		die(set)
		assert.Empty(t, visible(t, host))
		list, err := s.List("h")
		require.NoError(t, err)
		assert.Empty(t, list)
	}
	living := begin(t, s, "h")
	put(t, living, "a", "1")
	other := begin(t, s, "h")
	entries, err := os.ReadDir(host)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "the two that live")
	put(t, other, "a", "2")
	for _, set := range []*Set{other, living} {
		_, err := set.Commit(Complete)
		require.NoError(t, err)
	}
	list, err := s.List("h")
	require.NoError(t, err)
	assert.Len(t, list, 2)
	e, err := s.Load("h", "")
	require.NoError(t, err)
	assert.Equal(t, other.Dir(), e.Path, "the newest began last")
}

// TestIncomplete: a set that lacks something is kept under a dot, says why,
// and latest stays where it was.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	s := open(t)
	good := begin(t, s, "h")
	put(t, good, "a", "1")
	_, err := good.Commit(Complete)
	require.NoError(t, err)
	set, err := s.Begin("h", "run", SetMeta{Mask: func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }})
	require.NoError(t, err)
	put(t, set, "a", "2")
	set.Problem("b", "password hunter2 refused")
	assert.Equal(t, []string{"b"}, set.Missing())
	path, err := set.Commit(Incomplete)
	require.NoError(t, err)
	assert.Equal(t, ".", filepath.Base(path)[:1])
	e, err := s.Load("h", "latest")
	require.NoError(t, err)
	assert.Equal(t, good.Dir(), e.Path)
	left, err := s.Unfinished("h")
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, []Problem{{Artifact: "b", Error: "password *** refused"}}, left[0].Manifest.Problems)
}

func TestEmptySetIsRemoved(t *testing.T) {
	t.Parallel()
	s := open(t)
	set := begin(t, s, "h")
	path, err := set.Commit(Complete)
	require.NoError(t, err)
	assert.Empty(t, path)
	assert.Empty(t, visible(t, filepath.Join(s.Path(), "h")))
	_, err = s.Load("h", "latest")
	require.Error(t, err)
	assert.ErrorIs(t, func() error { _, err := set.Commit(Complete); return err }(), errEnded)
}

// TestAborted: what was given up, by a writer or a set, is gone.
func TestAborted(t *testing.T) {
	t.Parallel()
	s := open(t)
	set := begin(t, s, "h")
	w, err := set.Create("a")
	require.NoError(t, err)
	_, err = w.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, w.Abort())
	_, err = w.Commit(Artifact{})
	require.Error(t, err)
	put(t, set, "a", "again, the name is free")
	late, err := set.Create("late")
	require.NoError(t, err)
	dir := set.Dir()
	require.NoError(t, set.Abort())
	assert.NoDirExists(t, dir)
	_, err = late.Commit(Artifact{})
	require.ErrorIs(t, err, errEnded)
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "/a", "../a", "a/../b", "a//b", "a/", "a\\b", "a\nb", "manifest.json", "SHA256SUMS", strings.Repeat("x", 256), "\xff"} {
		assert.Error(t, CheckName(name), "%q", name)
	}
	for _, name := range []string{"a", "a/b.gz", "ä ö", "...", strings.Repeat("x", 255)} {
		assert.NoError(t, CheckName(name), "%q", name)
	}
	s := open(t)
	set := begin(t, s, "h")
	put(t, set, "a/b", "x")
	for _, name := range []string{"a/b", "a", "a/b/c"} {
		_, err := set.Create(name)
		assert.Error(t, err, name)
	}
	require.NoError(t, set.Abort())
	// The name of any host is a folder of its own within the store, and known
	// again.
	hosts := []string{"h", "../up", "a/b", ".hidden", "latest", "fe80::1%eth0", "UPPER", "upper"}
	for _, host := range hosts {
		set := begin(t, s, host)
		put(t, set, "x", host)
		path, err := set.Commit(Complete)
		require.NoError(t, err, host)
		in, err := filepath.Rel(s.Path(), path)
		require.NoError(t, err)
		assert.Len(t, strings.Split(in, "/"), 2, in)
	}
	found, err := s.Hosts()
	require.NoError(t, err)
	assert.ElementsMatch(t, hosts, found)
}

// TestLinksStayInside: nobody who can write to the store's folder of a host
// makes us write elsewhere.
func TestLinksStayInside(t *testing.T) {
	t.Parallel()
	s := open(t)
	outside := t.TempDir()
	set := begin(t, s, "h")
	require.NoError(t, os.Symlink(outside, filepath.Join(set.Dir(), "etc")))
	w, err := set.Create("etc/passwd")
	require.NoError(t, err)
	_, err = w.Commit(Artifact{})
	require.Error(t, err)
	assert.Empty(t, visible(t, outside))
	require.NoError(t, set.Abort())
	require.NoError(t, os.RemoveAll(filepath.Join(s.Path(), "h")))
	require.NoError(t, os.Symlink(outside, filepath.Join(s.Path(), "h")))
	_, err = s.Begin("h", "run", SetMeta{})
	require.Error(t, err)
	assert.Empty(t, visible(t, outside))
}

// TestDamagedManifest: a set whose manifest makes no sense is shown with the
// reason, and is no previous one.
func TestDamagedManifest(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", "[]", `{"format":"other"}`, `{"format":"` + manifestFormat + `","version":99}`} {
		_, err := parseManifest([]byte(text))
		assert.Error(t, err, text)
	}
	s := open(t)
	set := begin(t, s, "h")
	put(t, set, "a", "1")
	path, err := set.Commit(Complete)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(path, manifestName), []byte("{"), 0o600))
	list, err := s.List("h")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Error(t, list[0].Err)
	next := begin(t, s, "h")
	assert.Nil(t, next.Previous("a"))
	require.NoError(t, next.Abort())
}

func TestPrevious(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, text := range []string{"one", "three"} {
		set := begin(t, s, "h")
		put(t, set, "a", text)
		_, err := set.Commit(Complete)
		require.NoError(t, err)
	}
	set := begin(t, s, "h")
	previous := set.Previous("a")
	require.NotNil(t, previous)
	assert.Equal(t, int64(5), previous.Size)
	assert.Nil(t, set.Previous("b"))
	require.NoError(t, set.Abort())
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t)
	err := s.explain("write a", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "no space left for backups in "+s.Path())
	require.NoError(t, os.MkdirAll(s.Path(), 0o700))
	require.ErrorIs(t, s.Room(1<<62), syscall.ENOSPC)
	require.NoError(t, s.Room(1))
}
