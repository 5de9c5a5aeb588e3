package catalog

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// Entry is a set as it stands on the disk.
type Entry struct {
	ID       string // "20261125T030000Z"; for Load, Verify and Extract
	Time     time.Time
	Path     string    // absolute
	Manifest *Manifest // nil if Err is not
	Err      error     // what is wrong with the set, found by looking at its manifest and the sizes of its files
}

// Hosts returns the names of the hosts that have a folder, sorted.
func (s *Store) Hosts() ([]string, error) {
	root := s.existing()
	if root == nil {
		return nil, nil
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", s.path, cause(err))
	}
	var hosts []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if host, ok := hostOf(e.Name()); ok {
			hosts = append(hosts, host)
		} else if host, ok := hostByManifest(root, e.Name()); ok {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts, nil
}

// hostByManifest finds the name of a host whose folder's name was cut.
func hostByManifest(root *os.Root, folder string) (string, bool) {
	dir, err := root.OpenRoot(folder)
	if err != nil {
		return "", false
	}
	defer dir.Close()
	ids, err := setIDs(dir)
	if err != nil {
		return "", false
	}
	for _, id := range slices.Backward(ids) {
		m, err := readManifest(dir, id.String())
		if err != nil {
			continue
		}
		back, err := hostFolder(m.Host)
		return m.Host, err == nil && back == folder
	}
	return "", false
}

// List returns the complete sets of a host, the oldest first. It is empty for
// a host that has none.
func (s *Store) List(host string) ([]Entry, error) {
	dir, err := s.hostRoot(host)
	if dir == nil {
		return nil, err
	}
	defer dir.Close()
	ids, err := setIDs(dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir.Name(), cause(err))
	}
	out := make([]Entry, len(ids))
	for i, id := range ids {
		out[i] = s.entry(dir, id, id.String())
	}
	return out, nil
}

// Unfinished returns the incomplete sets of a host, the oldest first.
func (s *Store) Unfinished(host string) ([]Entry, error) {
	dir, err := s.hostRoot(host)
	if dir == nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir.Name(), cause(err))
	}
	var out []Entry
	for _, e := range entries {
		if id, ok := unfinishedID(e.Name()); ok && e.IsDir() {
			out = append(out, s.entry(dir, id, e.Name()))
		}
	}
	return out, nil // ReadDir sorts, and the names sort by time
}

func (s *Store) entry(dir *os.Root, id setID, folder string) Entry {
	e := Entry{ID: folder, Time: id.time, Path: filepath.Join(dir.Name(), folder)}
	m, err := readManifest(dir, folder)
	if err != nil {
		e.Err = err
		return e
	}
	e.Manifest = m
	for _, a := range m.Artifacts {
		info, err := dir.Stat(path.Join(folder, a.Name))
		switch {
		case err != nil:
			e.Err = fmt.Errorf("%s: %w", a.Name, cause(err))
		case info.Size() != a.Size:
			e.Err = fmt.Errorf("%s has %d bytes, the manifest says %d", a.Name, info.Size(), a.Size)
		}
	}
	return e
}

// Load returns a set of a host: by its ID, or the newest one for "latest" or
// the empty ID. An error wraps fs.ErrNotExist if there is no such set.
func (s *Store) Load(host, id string) (Entry, error) {
	dir, err := s.hostRoot(host)
	if err != nil {
		return Entry{}, err
	}
	if dir == nil {
		return Entry{}, fmt.Errorf("host %s has no backup set in %s: %w", host, s.path, fs.ErrNotExist)
	}
	defer dir.Close()
	if id == "" || id == latestName {
		ids, err := setIDs(dir)
		if err != nil {
			return Entry{}, err
		}
		i := newest(ids, s.now())
		if i < 0 {
			return Entry{}, fmt.Errorf("host %s has no complete backup set in %s: %w", host, s.path, fs.ErrNotExist)
		}
		return s.entry(dir, ids[i], ids[i].String()), nil
	}
	parsed, ok := parseID(id)
	if !ok {
		if parsed, ok = unfinishedID(id); !ok {
			return Entry{}, fmt.Errorf("%q is not the name of a backup set such as 20261125T030000Z", id)
		}
	}
	if _, err := dir.Stat(id); err != nil {
		return Entry{}, fmt.Errorf("backup set %s of host %s: %w", id, host, cause(err))
	}
	return s.entry(dir, parsed, id), nil
}

// setIDs returns the visible sets of a host's folder, the oldest first.
func setIDs(dir *os.Root) ([]setID, error) {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return nil, err
	}
	var ids []setID
	for _, e := range entries {
		if id, ok := parseID(e.Name()); ok && e.IsDir() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, setID.compare)
	return ids, nil
}

// newest returns the index of the newest set, -1 if there is none. One that
// claims to be of the future, from a clock that was wrong, counts only if
// there is no other.
func newest(ids []setID, now time.Time) int {
	for i, id := range slices.Backward(ids) {
		if !id.time.After(now.Add(time.Minute)) {
			return i
		}
	}
	return len(ids) - 1
}
