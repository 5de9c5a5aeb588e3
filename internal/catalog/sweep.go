package catalog

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// foreignAge is how long something unfinished that another computer has left
// in a shared store is let alone: whether that computer is at work cannot be
// seen from here.
const foreignAge = 48 * time.Hour

// sweep removes what dead processes have left in a host's folder: sets that
// were in progress, and sets whose removal was cut short. What a living
// process works at is locked.
func (s *Store) sweep(host *os.Root, folder string, warn func(string)) {
	entries, err := fs.ReadDir(host.FS(), ".")
	if err != nil {
		return // Begin is about to fail with the reason
	}
	for _, e := range entries {
		owner, ok := sweepable(e.Name())
		if !ok || !e.IsDir() {
			continue
		}
		if owner != machine() {
			if info, err := e.Info(); err != nil || s.now().Sub(info.ModTime()) < foreignAge {
				continue
			}
		}
		if err := removeIfDead(host, e.Name()); err != nil {
			warn(fmt.Sprintf("%s is left of an earlier run and cannot be removed: %v", filepath.Join(s.path, folder, e.Name()), cause(err)))
		}
	}
}

// sweepable tells whether a name is that of something unfinished, and which
// computer left it.
func sweepable(name string) (owner string, ok bool) {
	for _, mark := range []string{progressMark, removingMark} {
		id, rest, found := strings.Cut(strings.TrimPrefix(name, "."), mark)
		if !found || len(rest) < 4 {
			continue
		}
		if _, ok := parseID(strings.TrimSuffix(id, incompleteMark)); ok && strings.HasPrefix(name, ".") {
			return rest[:4], true
		}
	}
	return "", false
}

func removeIfDead(host *os.Root, name string) error {
	d, err := host.Open(name)
	if err != nil {
		return nil // gone, or not ours to read
	}
	defer d.Close()
	if lock(d, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return nil // alive, or a file system without locks
	}
	return host.RemoveAll(name)
}
