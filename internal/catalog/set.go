package catalog

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// SetMeta is what a manifest says about the run and the host.
type SetMeta struct {
	Runner    string // version
	Playbooks []Playbook
	Addr      string // host:port
	User      string // login user
	HostKey   string // SHA256:…
	// Warn is called with what the operator should know; may be nil.
	Warn func(text string)
	// Mask takes secrets out of what the manifest says; may be nil.
	Mask func(text string) string
}

// Set is the backup set of one host in one run, while it is being made. It
// stays invisible until Commit. It is safe for concurrent use. Exactly one of
// Commit and Abort ends it; Abort after Commit does nothing, so it may be
// deferred.
type Set struct {
	store  *Store
	warn   func(string)
	mask   func(string) string
	folder string   // of the host, below the store
	dir    string   // of the set, below the host's
	parent *os.Root // the host's folder
	root   *os.Root // the set's folder
	lock   *os.File // says that this process is alive

	mu       sync.Mutex
	manifest Manifest
	names    map[string]bool   // taken by writers and artifacts
	problems map[string]string // artifact -> why it is missing
	closed   bool
}

// Begin starts the set of a host. What dead processes have left of earlier
// sets of the host is removed.
func (s *Store) Begin(host, runID string, meta SetMeta) (*Set, error) {
	folder, err := hostFolder(host)
	if err != nil {
		return nil, err
	}
	root, err := s.ensure()
	if err != nil {
		return nil, err
	}
	if err := root.Mkdir(folder, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, s.explain("make "+filepath.Join(s.path, folder), cause(err))
	}
	parent, err := root.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Join(s.path, folder), cause(err))
	}
	set := &Set{
		store: s, folder: folder, parent: parent, warn: meta.Warn, mask: meta.Mask,
		names: map[string]bool{}, problems: map[string]string{},
		manifest: Manifest{
			Format: manifestFormat, Version: ManifestVersion, Host: host, RunID: runID, Started: s.now().UTC(),
			Runner: meta.Runner, Playbooks: meta.Playbooks, Addr: meta.Addr, User: meta.User, HostKey: meta.HostKey,
		},
	}
	if set.warn == nil {
		set.warn = func(string) {}
	}
	if set.mask == nil {
		set.mask = func(text string) string { return text }
	}
	s.sweep(parent, folder, set.warn)
	if err := set.makeFolder(); err != nil {
		return nil, errors.Join(s.explain("make a backup set in "+filepath.Join(s.path, folder), cause(err)), parent.Close())
	}
	return set, nil
}

// makeFolder makes the set's folder and locks it. A sweep of another process
// may take the folder in the moment before it is locked; then it tries again.
func (s *Set) makeFolder() error {
	for range 100 {
		s.dir = "." + setID{time: s.manifest.Started}.String() + progressMark + machine() + rand.Text()[:8]
		if err := s.parent.Mkdir(s.dir, dirMode); err != nil {
			return err
		}
		d, err := s.parent.Open(s.dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := lock(d, unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
			_ = d.Close()
			continue
		} // a file system without locks: nobody can sweep there either
		if s.root, err = s.parent.OpenRoot(s.dir); err == nil {
			s.lock = d
			return syncDir(s.parent, ".")
		}
		_ = d.Close()
	}
	return errors.New("folders vanish as soon as they are made")
}

// machine returns four letters that stand for this computer, so that a store
// on a shared disk is swept only by the computer that left something there.
func machine() string {
	name, _ := os.Hostname() // empty is as good as any
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:2])
}

// Dir returns the absolute path of the set's folder. It changes with Commit.
func (s *Set) Dir() string { return filepath.Join(s.store.path, s.folder, s.dir) }

// Room returns a *SpaceError if there is no room for need more bytes.
func (s *Set) Room(need int64) error { return s.store.Room(need) }

// Problem records that an artifact could not be brought home. It is forgotten
// when the artifact arrives after all.
func (s *Set) Problem(artifact, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems[artifact] = s.mask(reason)
}

// Missing returns the artifacts that the set lacks for a Problem, sorted. A
// set that lacks any should not be committed as Complete.
func (s *Set) Missing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.problems))
}

// Previous returns the artifact of that name in the newest complete set of
// the host that has one, nil if there is none.
func (s *Set) Previous(name string) *Artifact {
	ids, err := setIDs(s.parent)
	if err != nil {
		return nil
	}
	for _, id := range slices.Backward(ids) {
		m, err := readManifest(s.parent, id.String())
		if err != nil {
			continue
		}
		if a := m.Artifact(name); a != nil {
			return a
		}
	}
	return nil
}

// Scratch makes a private file on the disk of the store, named after pattern.
// Discard removes it; what is forgotten goes when the set ends.
func (s *Set) Scratch(pattern string) (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errEnded
	}
	name := scratchPrefix + rand.Text()[:8] + "-" + strings.Map(func(r rune) rune {
		if r == '/' || r == 0 {
			return '_'
		}
		return r
	}, pattern)
	f, err := s.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, s.store.explain("make a temporary file in "+s.Dir(), cause(err))
	}
	return f, nil
}

// Discard closes and removes a scratch file, and what others have put beside
// it under its name, such as a -journal.
func (s *Set) Discard(f *os.File) error {
	err := f.Close()
	return errors.Join(err, s.removeTop(func(name string) bool { return strings.HasPrefix(name, filepath.Base(f.Name())) }))
}

// removeTop removes the files at the top of the set whose names match.
func (s *Set) removeTop(match func(name string) bool) error {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	for _, e := range entries {
		if match(e.Name()) {
			err = errors.Join(err, s.root.RemoveAll(e.Name()))
		}
	}
	return err
}

var errEnded = errors.New("the backup set has ended")

// Commit ends the set. A complete one becomes visible under its time, and
// latest points at it if it is the newest; an incomplete one is kept in a
// folder that starts with a dot. It returns the absolute path of the folder.
// A set without artifacts is removed, and the path is empty. If Commit fails
// nothing is left.
func (s *Set) Commit(status Status) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errEnded
	}
	if len(s.manifest.Artifacts) == 0 {
		return "", s.remove()
	}
	if err := s.seal(status); err != nil {
		return "", errors.Join(s.store.explain("finish the backup set "+s.Dir(), err), s.remove())
	}
	if err := s.publish(status); err != nil {
		return "", errors.Join(s.store.explain("publish the backup set "+s.Dir(), err), s.remove())
	}
	if status == Complete {
		if err := s.store.pointLatest(s.parent); err != nil {
			s.warn(fmt.Sprintf("%s does not point at the newest backup set: %v", filepath.Join(s.store.path, s.folder, latestName), err))
		}
	}
	return s.Dir(), s.free()
}

// seal writes what describes the set, and makes it durable.
func (s *Set) seal(status Status) error {
	err := s.removeTop(func(name string) bool {
		return strings.HasPrefix(name, partPrefix) || strings.HasPrefix(name, scratchPrefix)
	})
	if err != nil {
		return err
	}
	m := &s.manifest
	m.Status, m.Finished = status, s.store.now().UTC()
	slices.SortFunc(m.Artifacts, func(a, b Artifact) int { return cmp.Compare(a.Name, b.Name) })
	for name, text := range s.problems {
		m.Problems = append(m.Problems, Problem{Artifact: name, Error: text})
	}
	slices.SortFunc(m.Problems, func(a, b Problem) int { return cmp.Compare(a.Artifact, b.Artifact) })
	data, err := m.encode()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if err := writeSynced(s.root, manifestName, data); err != nil {
		return err
	}
	if err := writeSynced(s.root, sumsName, encodeSums(m.Artifacts, hex.EncodeToString(sum[:]))); err != nil {
		return err
	}
	return syncDir(s.root, ".")
}

func writeSynced(root *os.Root, name string, data []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// publish gives the folder its final name. A folder that is there already is
// never replaced, since it is not empty; the next number is tried instead.
func (s *Set) publish(status Status) error {
	id := setID{time: s.manifest.Started}
	for {
		name := id.String()
		if status != Complete {
			name = "." + name + incompleteMark
		}
		err := s.parent.Rename(s.dir, name)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
			id.seq = max(2, id.seq+1)
			continue
		}
		if err != nil {
			return err
		}
		s.dir = name
		return syncDir(s.parent, ".")
	}
}

// Abort removes the set with everything in it.
func (s *Set) Abort() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	return s.remove()
}

func (s *Set) remove() error {
	return errors.Join(s.parent.RemoveAll(s.dir), s.free())
}

func (s *Set) free() error {
	s.closed = true
	return errors.Join(s.root.Close(), s.lock.Close(), s.parent.Close())
}

// pointLatest makes the symbolic link latest point at the newest set.
func (s *Store) pointLatest(host *os.Root) error {
	unlock, err := lockFolder(host)
	if err != nil {
		return err
	}
	defer unlock()
	ids, err := setIDs(host)
	if err != nil {
		return err
	}
	i := newest(ids, s.now())
	if i < 0 {
		return nil
	}
	target := ids[i].String()
	if at, err := host.Readlink(latestName); err == nil && at == target {
		return nil
	}
	temp := "." + latestName + "-" + rand.Text()[:8]
	if err := host.Symlink(target, temp); err != nil {
		return cause(err)
	}
	if err := host.Rename(temp, latestName); err != nil {
		return errors.Join(err, host.Remove(temp))
	}
	return syncDir(host, ".")
}

// lockFolder serializes what changes several entries of a host's folder. On a
// file system without locks there is none.
func lockFolder(host *os.Root) (unlock func(), err error) {
	d, err := host.Open(".")
	if err != nil {
		return nil, err
	}
	_ = lock(d, unix.LOCK_EX)
	return func() { _ = d.Close() }, nil
}
