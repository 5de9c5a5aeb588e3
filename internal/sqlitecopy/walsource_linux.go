package sqlitecopy

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// walSource is a database in WAL mode with the locks that keep its file as it
// is. All of them are shared locks on files that are open for reading:
//
//   - SHARED on the database, as any reader has: nobody closes the log for
//     good, changes the journal mode or goes exclusive.
//   - CHECKPOINT on the wal-index: nobody copies pages of the log into the
//     database. Writers go on, their frames gather in the log.
//   - ATTACHED on the wal-index: when every other connection dies, the next
//     one does not take the index for abandoned.
//
// The last two are taken only if somebody is attached. If nobody is, the
// index may be a leftover, which must not look as if it was in use.
type walSource struct {
	src  *source
	log  *os.File // nil if there is none
	shm  *os.File // nil if nobody is attached
	once sync.Once
}

// errAgain reports that something happened which a new attempt may not meet.
var errAgain = errors.New("the database was opened, closed or recovered while it was copied")

const lockPoll = time.Millisecond

// attach opens a database in WAL mode and takes its locks.
func attach(ctx context.Context, p Params) (*walSource, header, error) {
	src, h, err := open(p.Path)
	if err != nil {
		return nil, h, err
	}
	s := &walSource{src: src}
	if err := s.lock(ctx, p.LockWait); err != nil {
		s.release()
		return nil, h, err
	}
	h, err = readHeader(src.f, src.path)
	if err == nil && !h.wal {
		err = errAgain // it was in WAL mode when we looked first
	}
	if err != nil {
		s.release()
		return nil, h, err
	}
	return s, h, nil
}

// release lets go of everything. It may be called more than once, and while
// another goroutine reads.
func (s *walSource) release() {
	s.once.Do(func() {
		if s.shm != nil {
			_ = s.shm.Close() // they were only read
		}
		if s.log != nil {
			_ = s.log.Close()
		}
		s.src.close()
	})
}

func (s *walSource) lock(ctx context.Context, wait time.Duration) error {
	if err := lockShared(ctx, s.src.f, wait); err != nil {
		return err
	}
	if err := s.src.unchanged(); err != nil {
		return err
	}
	if hot, err := journalHasContent(s.src.path); err != nil {
		return err
	} else if hot {
		return refuse(CodeHotJournal, "%s is in WAL mode and has a rollback journal: a writer died while it changed the mode", s.src.path)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := s.join(ctx); err != nil {
		return err
	}
	// Only now: before, the last connection could remove it as it closes.
	log, err := openIfThere(s.src.path + "-wal")
	s.log = log
	return err
}

// join takes the locks of the wal-index if anybody else has it open.
func (s *walSource) join(ctx context.Context) error {
	shm, err := openIfThere(s.src.path + "-shm")
	if err != nil || shm == nil {
		return err
	}
	for {
		l, err := fcntlLock(shm.Fd(), unix.F_OFD_GETLK, unix.F_WRLCK, lockAttached, 1)
		if err == nil && l.Type == unix.F_UNLCK {
			return shm.Close()
		}
		if err == nil && l.Type == unix.F_RDLCK {
			_, err = fcntlLock(shm.Fd(), unix.F_OFD_SETLK, unix.F_RDLCK, lockAttached, 1)
			if err == nil {
				break
			}
		}
		if err != nil && !errors.Is(err, unix.EAGAIN) {
			return errors.Join(err, shm.Close())
		}
		if pause(ctx, lockPoll) != nil { // somebody is just making it
			return errors.Join(refuse(CodeLocked, "the wal-index of %s was being made all the time", s.src.path), shm.Close())
		}
	}
	s.shm = shm
	for {
		_, err := fcntlLock(shm.Fd(), unix.F_OFD_SETLK, unix.F_RDLCK, lockCheckpoint, 1)
		if err == nil || !errors.Is(err, unix.EAGAIN) {
			return err
		}
		if pause(ctx, lockPoll) != nil {
			return refuse(CodeLocked, "a checkpoint of %s did not end", s.src.path)
		}
	}
}

// attached tells whether anybody else has the wal-index open.
func (s *walSource) attached() (bool, error) {
	shm, err := openIfThere(s.src.path + "-shm")
	if err != nil || shm == nil {
		return false, err
	}
	defer shm.Close()
	l, err := fcntlLock(shm.Fd(), unix.F_OFD_GETLK, unix.F_WRLCK, lockAttached, 1)
	return l.Type != unix.F_UNLCK, err
}

// torn is for how long a header of the wal-index may be half written.
const torn = 50 * time.Millisecond

// index reads the header of the wal-index.
func (s *walSource) index(ctx context.Context) (walIndex, error) {
	for began := time.Now(); ; {
		h, ok, err := readWALIndex(s.shm)
		if err != nil || ok {
			return h, err
		}
		if time.Since(began) > torn {
			return h, errAgain
		}
		if err := pause(ctx, lockPoll); err != nil {
			return h, err
		}
	}
}

func openIfThere(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, plain(path, err)
	}
	return f, nil
}

// stamp is what tells that a file was written to.
type stamp struct {
	there        bool
	size         int64
	ino          uint64
	mtime, ctime syscall.Timespec
}

// stampOf returns the stamp of an open file, which may be nil.
func stampOf(f *os.File) (stamp, error) {
	if f == nil {
		return stamp{}, nil
	}
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	return stampFrom(info)
}

// stampAt returns the stamp of the file that is at path now.
func stampAt(path string) (stamp, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return stamp{}, nil
	}
	if err != nil {
		return stamp{}, err
	}
	return stampFrom(info)
}

func stampFrom(info fs.FileInfo) (stamp, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, errors.New("the system tells nothing about the file")
	}
	return stamp{there: true, size: st.Size, ino: st.Ino, mtime: st.Mtim, ctime: st.Ctim}, nil
}

// age is how long ago the file was written to.
func (s stamp) age() time.Duration {
	if !s.there {
		return idleAge
	}
	return time.Since(time.Unix(s.mtime.Unix()))
}
