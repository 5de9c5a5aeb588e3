// Package catalog owns backup sets on the controller's disk: how an artifact
// becomes visible only when it is whole, the manifest, how sets are listed,
// verified and taken out again, and what is kept.
//
// It never knows hosts beyond their names, connections, or playbooks.
//
// A store is plain files:
//
//	<root>/<host>/20261125T030000Z/manifest.json   how each artifact was made and proven
//	                               SHA256SUMS      for sha256sum -c
//	                               sqlite.db.gz    an artifact
//	<root>/<host>/latest -> 20261125T030000Z       the newest complete set
//	<root>/<host>/.20261125T020000Z.incomplete/    a run that did not bring everything
//	<root>/<host>/.20261125T030000Z.inprogress-…/  a run at work
//
// Folders have mode 0700 and files 0600.
package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Store is the folder that holds the sets of all hosts. It is safe for
// concurrent use, by several processes too.
type Store struct {
	path string // absolute
	now  func() time.Time

	mu   sync.Mutex
	root *os.Root // nil until the folder exists
}

// Open returns the store at root. A folder that does not exist holds nothing,
// and is made when the first set begins; reading never creates anything.
func Open(root string) (*Store, error) {
	path, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, now: time.Now}
	s.root, err = os.OpenRoot(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("store %s: %w", path, cause(err))
	}
	return s, nil
}

// Path returns the absolute path of the store.
func (s *Store) Path() string { return s.path }

// Close frees the store. Sets that have begun are not touched.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}

// existing returns the root for reading, nil if there is no folder yet.
func (s *Store) existing() *os.Root {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root == nil {
		s.root, _ = os.OpenRoot(s.path) // another process may have made it
	}
	return s.root
}

// ensure returns the root for writing, and makes the folder if need be.
func (s *Store) ensure() (*os.Root, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root != nil {
		return s.root, nil
	}
	if err := os.MkdirAll(s.path, dirMode); err != nil {
		return nil, s.explain("make the store", err)
	}
	var err error
	s.root, err = os.OpenRoot(s.path)
	return s.root, err
}

// hostRoot opens the folder of a host for reading. It is nil without error if
// the host has none.
func (s *Store) hostRoot(host string) (*os.Root, error) {
	folder, err := hostFolder(host)
	if err != nil {
		return nil, err
	}
	root := s.existing()
	if root == nil {
		return nil, nil
	}
	r, err := root.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", filepath.Join(s.path, folder), cause(err))
	}
	return r, nil
}

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// cause strips the operation and the path that a caller names itself.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// syncDir makes the entries of a folder durable.
func syncDir(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(ignoreUnsupported(d.Sync()), d.Close())
}
