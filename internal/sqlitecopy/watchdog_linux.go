package sqlitecopy

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The limits of a copy under the locks of a database in WAL mode.
const (
	watchEvery = 10 * time.Millisecond
	// recoverWait is how long the wal-index may make no sense: then a
	// connection wants to recover it, and waits for our lock. It gives up
	// after ten seconds.
	recoverWait = 20 * time.Millisecond
	// stallWait is how long nothing may go over the wire: the log grows as
	// long as we hold the lock.
	stallWait = 30 * time.Second
	walCap    = 4 << 30   // bytes of the log
	freeFloor = 256 << 20 // bytes that must stay free on its file system
)

// watchdog lets go of the locks when holding them begins to do harm, whatever
// the copy itself is waiting for.
type watchdog struct {
	s        *walSource
	db       stamp
	progress *atomic.Int64 // bytes sent

	torn  time.Time // since when the index makes no sense
	last  int64
	moved time.Time // when something was sent last
}

// watch returns a context that ends, with the reason, when the locks had to be
// let go. stop ends the watch.
func (w *watchdog) watch(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	w.moved = time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-watched.Done():
				w.s.release()
				return
			case <-tick.C:
			}
			if err := w.look(); err != nil {
				w.s.release()
				cancel(err)
				return
			}
		}
	}()
	return watched, func() {
		cancel(errors.New("the copy is over"))
		<-done
	}
}

// look returns the reason to let go, if there is one.
func (w *watchdog) look() error {
	now := time.Now()
	if err := w.indexSane(now); err != nil {
		return err
	}
	if db, err := stampOf(w.s.src.f); err != nil || db != w.db {
		return errAgain
	}
	if sent := w.progress.Load(); sent != w.last {
		w.last, w.moved = sent, now
	}
	if now.Sub(w.moved) > stallWait {
		return refuse(CodeBudget, "nothing could be sent for %s: checkpoints of %s cannot wait any longer", stallWait, w.s.src.path)
	}
	return w.room()
}

func (w *watchdog) indexSane(now time.Time) error {
	if w.s.shm == nil {
		return nil
	}
	_, ok, err := readWALIndex(w.s.shm)
	switch {
	case err != nil:
		return err
	case ok:
		w.torn = time.Time{}
	case w.torn.IsZero():
		w.torn = now
	case now.Sub(w.torn) > recoverWait:
		return errAgain
	}
	return nil
}

// room makes sure that the log does not fill the host's disk.
func (w *watchdog) room() error {
	if w.s.shm == nil {
		return nil // nobody writes to it
	}
	if log, err := stampAt(w.s.src.path + "-wal"); err == nil && log.size > walCap {
		return refuse(CodeBudget, "the write-ahead log of %s has grown to %d MB, and is kept from being checkpointed by the copy", w.s.src.path, log.size>>20)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(w.s.src.path, &st); err == nil && int64(st.Bavail)*int64(st.Bsize) < freeFloor {
		return refuse(CodeBudget, "the file system of %s has less than %d MB free: its write-ahead log must be checkpointed", w.s.src.path, freeFloor>>20)
	}
	return nil
}
