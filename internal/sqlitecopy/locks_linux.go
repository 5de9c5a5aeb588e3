package sqlitecopy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The bytes that SQLite locks, see "struct unixFile" in os_unix.c and
// https://sqlite.org/lockingv3.html.
const (
	pendingByte  = 0x40000000
	reservedByte = pendingByte + 1
	sharedFirst  = pendingByte + 2
	sharedSize   = 510
)

// Our locks are OFD locks (fcntl(2)): they conflict with SQLite's, belong to
// this open file alone, and vanish with it whatever happens to the process.

func fcntlLock(fd uintptr, cmd int, kind int16, start, length int64) (unix.Flock_t, error) {
	l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: start, Len: length}
	for {
		err := unix.FcntlFlock(fd, cmd, &l)
		if !errors.Is(err, unix.EINTR) {
			return l, err
		}
	}
}

// lockShared takes SQLite's SHARED lock, as a reader does: PENDING first, so
// that a writer that waits for readers to go is not starved. It waits in the
// kernel's queue: polling, as SQLite does, is hundreds of times slower under
// load. A wait that is abandoned goes on behind our back, on a descriptor of
// its own: f may be closed meanwhile, and its number be another file's.
func lockShared(ctx context.Context, f *os.File, wait time.Duration) error {
	own, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	got := make(chan error)
	abandoned := make(chan struct{})
	go func() {
		defer unix.Close(own)
		err := lockSharedNow(uintptr(own))
		select {
		case got <- err:
		case <-abandoned:
			if err == nil {
				_ = unlock(uintptr(own))
			}
		}
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case err := <-got:
		return err
	case <-timer.C:
		close(abandoned)
		return refuse(CodeLocked, "the database was locked exclusively for %s", wait)
	case <-ctx.Done():
		close(abandoned)
		return context.Cause(ctx)
	}
}

func lockSharedNow(fd uintptr) error {
	if _, err := fcntlLock(fd, unix.F_OFD_SETLKW, unix.F_RDLCK, pendingByte, 1); err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	_, err := fcntlLock(fd, unix.F_OFD_SETLKW, unix.F_RDLCK, sharedFirst, sharedSize)
	if _, pendingErr := fcntlLock(fd, unix.F_OFD_SETLK, unix.F_UNLCK, pendingByte, 1); err == nil {
		err = pendingErr
	}
	if err != nil {
		return fmt.Errorf("lock the database: %w", err)
	}
	return nil
}

func unlockShared(f *os.File) error { return unlock(f.Fd()) }

func unlock(fd uintptr) error {
	if _, err := fcntlLock(fd, unix.F_OFD_SETLK, unix.F_UNLCK, sharedFirst, sharedSize); err != nil {
		return fmt.Errorf("unlock the database: %w", err)
	}
	return nil
}

// The first byte of a journal is looked at a few times: a writer that is just
// deleting it is no crash.
const (
	hotTries = 5
	hotPause = 2 * time.Millisecond
)

// hotJournal tells whether a writer has died in mid-transaction: there is a
// journal with something in it, and nobody holds the RESERVED lock. The file
// is in no state then that was ever committed. It must be called under the
// SHARED lock. See https://sqlite.org/lockingv3.html#hot_journals.
func hotJournal(f *os.File, path string) (bool, error) {
	for try := range hotTries {
		if try > 0 {
			time.Sleep(hotPause)
		}
		hot, err := hotNow(f, path)
		if err != nil || !hot {
			return false, err
		}
	}
	return true, nil
}

func hotNow(f *os.File, path string) (bool, error) {
	if some, err := journalHasContent(path); err != nil || !some {
		return false, err
	}
	l, err := fcntlLock(f.Fd(), unix.F_OFD_GETLK, unix.F_WRLCK, reservedByte, 1)
	return l.Type == unix.F_UNLCK, err
}

// journalHasContent tells whether a database has a rollback journal that is
// not a finished one.
func journalHasContent(path string) (bool, error) {
	j, err := os.Open(path + "-journal")
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer j.Close()
	var first [1]byte
	if n, err := j.Read(first[:]); n == 0 && !errors.Is(err, io.EOF) {
		return false, err
	}
	return first[0] != 0, nil
}
