package sqlitecopy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// source is the database that is copied.
type source struct {
	f    *os.File
	path string // symbolic links resolved: the journal stands beside it
	dev  uint64
	ino  uint64
}

// open opens a database and refuses what cannot be copied safely.
func open(path string) (*source, header, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, header{}, plain(path, err)
	}
	f, err := os.Open(resolved)
	if err != nil {
		return nil, header{}, plain(path, err)
	}
	s := &source{f: f, path: resolved}
	h, err := s.check()
	if err != nil {
		_ = f.Close()
		return nil, header{}, err
	}
	return s, h, nil
}

func plain(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", path, p.Err)
	}
	return err
}

func (s *source) close() { _ = s.f.Close() } // it was only read

func (s *source) check() (header, error) {
	info, err := s.f.Stat()
	if err != nil {
		return header{}, err
	}
	if !info.Mode().IsRegular() {
		return header{}, refuse(CodeNotDatabase, "%s is not a regular file", s.path)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return header{}, errors.New("the system tells nothing about the file")
	}
	s.dev, s.ino = st.Dev, st.Ino
	if st.Nlink > 1 {
		return header{}, refuse(CodeUnsafeFS, "%s has %d names (hard links): SQLite looks for its journal beside only one of them", s.path, st.Nlink)
	}
	if err := s.fileSystem(); err != nil {
		return header{}, err
	}
	if _, err := os.Stat(s.path + ".lock"); err == nil {
		return header{}, refuse(CodeUnsafeFS, "%s.lock exists: its writers lock with that folder, which we cannot", s.path)
	}
	h, err := readHeader(s.f, s.path)
	if err != nil {
		return h, err
	}
	if h.wal {
		return h, nil
	}
	return h, s.noLog()
}

// noLog refuses a database in rollback mode with a write-ahead log beside it:
// it belongs to another file, or the header is wrong.
func (s *source) noLog() error {
	if log, err := os.Stat(s.path + "-wal"); err == nil && log.Size() > 0 {
		return refuse(CodeWAL, "%s is not in WAL mode, but there is a write-ahead log beside it: one of the two is another database's", s.path)
	}
	return nil
}

// unsafeFS are file systems whose locks or caches are not those of the
// kernel, by their numbers in statfs(2).
var unsafeFS = map[int64]string{
	0x6969: "NFS", 0xfe534d42: "SMB", 0xff534d42: "CIFS", 0x01021997: "9p", 0x65735546: "FUSE",
}

func (s *source) fileSystem() error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(s.f.Fd()), &st); err != nil {
		return fmt.Errorf("the file system of %s: %w", s.path, err)
	}
	if name, unsafe := unsafeFS[int64(uint32(st.Type))]; unsafe {
		return refuse(CodeUnsafeFS, "%s is on %s, whose locks cannot be trusted", s.path, name)
	}
	return nil
}

// unchanged makes sure that what we have open is still the database.
func (s *source) unchanged() error {
	at, err := os.Stat(s.path)
	if err != nil {
		return refuse(CodeReplaced, "%s was removed while it was copied", s.path)
	}
	if st, ok := at.Sys().(*syscall.Stat_t); !ok || st.Dev != s.dev || st.Ino != s.ino {
		return refuse(CodeReplaced, "%s was replaced by another file while it was copied", s.path)
	}
	return nil
}

// settled makes sure, under the lock, that what we have open is still the
// database, and in a state that was committed.
func (s *source) settled() (header, os.FileInfo, error) {
	if err := s.unchanged(); err != nil {
		return header{}, nil, err
	}
	info, err := s.f.Stat()
	if err != nil {
		return header{}, nil, err
	}
	h, err := readHeader(s.f, s.path)
	if err != nil {
		return h, nil, err
	}
	if h.wal {
		return h, nil, refuse(CodeReplaced, "%s was put into WAL mode while it was copied", s.path)
	}
	if err := s.noLog(); err != nil {
		return h, nil, err
	}
	hot, err := hotJournal(s.f, s.path)
	if err != nil {
		return h, nil, err
	}
	if hot {
		return h, nil, refuse(CodeHotJournal, "%s has a hot journal: a writer died in mid-transaction, and nobody has opened the database since", s.path)
	}
	return h, info, nil
}
