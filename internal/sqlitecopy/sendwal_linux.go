package sqlitecopy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"
)

// walCopy is one attempt at a database in WAL mode: its file, which does not
// change under our locks, and over it the newest committed frame of each page.
type walCopy struct {
	c    *copier
	ctx  context.Context // ends when the locks are gone
	s    *walSource
	db   stamp
	head header
	sent atomic.Int64 // bytes
}

// runWAL copies a database in WAL mode. No writer waits for that; checkpoints
// do, which SQLite then leaves for later by itself.
func (c *copier) runWAL() (Trailer, error) {
	c.t = Trailer{PageSize: c.sent.size, Seed: c.sent.seed}
	for attempt := 1; ; attempt++ {
		c.t.Attempts, c.t.Passes = attempt, attempt
		c.sent.hashes = c.sent.hashes[:0]
		err := c.attemptWAL()
		if !errors.Is(err, errAgain) {
			return c.t, err
		}
		if attempt == maxAttempts {
			return c.t, refuse(CodeReplaced, "%s: %v; %d attempts", c.src.path, err, attempt)
		}
		if err := pause(c.ctx, retryPause); err != nil {
			return c.t, err
		}
	}
}

func (c *copier) attemptWAL() error {
	asked := time.Now()
	s, h, err := attach(c.ctx, c.p)
	if err != nil {
		return err
	}
	defer s.release()
	began := time.Now()
	c.t.LockWaitMS = max(c.t.LockWaitMS, ms(began.Sub(asked)))
	w := &walCopy{c: c, s: s, head: h}
	if w.db, err = stampOf(s.src.f); err != nil {
		return err
	}
	dog := watchdog{s: s, db: w.db, progress: &w.sent}
	ctx, stop := dog.watch(c.ctx)
	defer stop()
	w.ctx = ctx
	if s.shm != nil {
		err = w.hot()
	} else {
		err = w.cold()
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // the files were closed under our hands
	}
	if err == nil && s.shm != nil {
		c.t.CheckpointsHeldMS = ms(time.Since(began))
	}
	return err
}

// hot copies a database that others have open.
func (w *walCopy) hot() error {
	before, err := w.s.index(w.ctx)
	if err != nil {
		return err
	}
	if err := w.sendFile(); err != nil {
		return err
	}
	for try := 1; ; try++ {
		now, err := w.s.index(w.ctx)
		if err != nil {
			return err
		}
		// The log begins anew only when all of it is in the database, and
		// under our lock no more can get there. So it happens once at most.
		if now.salts != before.salts && before.backfilled != before.frames {
			return errAgain
		}
		if now.frames == 0 {
			return w.finish(w.db.size/int64(w.c.sent.size), w.head.changeCounter)
		}
		counter, l, err := w.sendLog(now)
		if err != nil {
			return err
		}
		after, err := w.s.index(w.ctx)
		if err != nil {
			return err
		}
		if after.salts == now.salts { // so no frame was overwritten while we read
			return w.finish(int64(l.pages), counter)
		}
		if try == 2 {
			return errAgain
		}
		if err := w.restore(l); err != nil {
			return err
		}
	}
}

// sendLog sends the newest frame of each page, up to what the index says is
// committed. It returns the change counter that page 1 has then.
func (w *walCopy) sendLog(index walIndex) (counter uint32, l log, err error) {
	if w.s.log == nil {
		return 0, l, errAgain
	}
	h, ok, err := readWALHeader(w.s.log)
	if err != nil {
		return 0, l, err
	}
	if !ok || h.salts != index.salts || h.pageSize != w.c.sent.size || index.pageSize != h.pageSize {
		return 0, l, errAgain
	}
	l, err = readLog(w.s.log, h, index.frames)
	if err != nil {
		return 0, l, err
	}
	if l.frames != index.frames || l.pages != index.pages || l.sum != index.sum {
		return 0, l, errAgain
	}
	counter, err = w.sendPages(l, func(page uint32) (io.ReaderAt, int64) {
		return w.s.log, frameOffset(l.newest[page], w.c.sent.size)
	})
	return counter, l, err
}

// restore sends the pages of a log again as the database file has them: the
// log began anew while it was read.
func (w *walCopy) restore(l log) error {
	_, err := w.sendPages(l, func(page uint32) (io.ReaderAt, int64) {
		return w.s.src.f, int64(page-1) * int64(w.c.sent.size)
	})
	return err
}

// cold copies a database that nobody has open. There may be a log, of a
// process that was killed: it counts as far as its chain holds.
func (w *walCopy) cold() error {
	logStamp, err := stampOf(w.s.log)
	if err != nil {
		return err
	}
	if young := idleAge - min(w.db.age(), logStamp.age()); young > 0 { // time stamps are coarse
		if err := pause(w.ctx, young); err != nil {
			return err
		}
	}
	if err := w.sendFile(); err != nil {
		return err
	}
	pages, counter := w.db.size/int64(w.c.sent.size), w.head.changeCounter
	if w.s.log != nil {
		h, ok, err := readWALHeader(w.s.log)
		if err != nil {
			return err
		}
		if ok && h.pageSize == w.c.sent.size {
			l, err := readLog(w.s.log, h, 0)
			if err != nil {
				return err
			}
			if l.frames > 0 {
				pages = int64(l.pages)
				if counter, err = w.sendPages(l, func(page uint32) (io.ReaderAt, int64) {
					return w.s.log, frameOffset(l.newest[page], w.c.sent.size)
				}); err != nil {
					return err
				}
			}
		}
	}
	return errors.Join(w.stillCold(logStamp), w.finish(pages, counter))
}

// stillCold makes sure that nobody came while we read.
func (w *walCopy) stillCold(logStamp stamp) error {
	attached, err := w.s.attached()
	if err != nil {
		return err
	}
	db, err := stampOf(w.s.src.f)
	if err != nil {
		return err
	}
	log, err := stampAt(w.s.src.path + "-wal")
	if err != nil {
		return err
	}
	if attached || db != w.db || log != logStamp {
		return errAgain
	}
	return nil
}

// sendFile sends the database file.
func (w *walCopy) sendFile() error {
	buf := make([]byte, blockBytes(w.c.sent.size))
	count := int(w.db.size / int64(w.c.sent.size))
	for first := 0; first < count; first += len(buf) / w.c.sent.size {
		block := buf[:min(len(buf), (count-first)*w.c.sent.size)]
		offset := int64(first) * int64(w.c.sent.size)
		if _, err := w.s.src.f.ReadAt(block, offset); err != nil {
			return err
		}
		for at := 0; at < len(block); at += w.c.sent.size {
			w.c.sent.hashes = append(w.c.sent.hashes, xxh3.HashSeed(block[at:at+w.c.sent.size], w.c.sent.seed))
		}
		if err := w.write(offset, block); err != nil {
			return err
		}
	}
	return nil
}

// sendPages sends the pages that a log holds, from where find says that they
// are, neighbours together. It returns the change counter of page 1 if that
// is among them, and of the database file if not.
func (w *walCopy) sendPages(l log, find func(page uint32) (io.ReaderAt, int64)) (counter uint32, err error) {
	counter = w.head.changeCounter
	size := w.c.sent.size
	w.grow(int(l.pages))
	var run []byte
	var from int64
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		err := w.write(from, run)
		run = run[:0]
		return err
	}
	page := make([]byte, size)
	for _, n := range slices.Sorted(maps.Keys(l.newest)) {
		if n > l.pages {
			break // it was cut off later
		}
		r, at := find(n)
		read, err := r.ReadAt(page, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		clear(page[read:])
		if n == 1 {
			counter = binary.BigEndian.Uint32(page[24:])
		}
		w.c.sent.hashes[n-1] = xxh3.HashSeed(page, w.c.sent.seed)
		offset := int64(n-1) * int64(size)
		if from+int64(len(run)) != offset || len(run)+size > maxRecord {
			if err := flush(); err != nil {
				return 0, err
			}
			from = offset
		}
		run = append(run, page...)
	}
	return counter, flush()
}

// grow makes room for the hashes of so many pages. What was never written
// reads as zeros, as in SQLite.
func (w *walCopy) grow(pages int) {
	if pages <= len(w.c.sent.hashes) {
		return
	}
	zero := xxh3.HashSeed(bytes.Repeat([]byte{0}, w.c.sent.size), w.c.sent.seed)
	for len(w.c.sent.hashes) < pages {
		w.c.sent.hashes = append(w.c.sent.hashes, zero)
	}
}

func (w *walCopy) write(offset int64, data []byte) error {
	if cause := context.Cause(w.ctx); cause != nil {
		return cause
	}
	if err := writeRecord(w.c.w, offset, data); err != nil {
		return err
	}
	w.sent.Add(int64(len(data)))
	return nil
}

func (w *walCopy) finish(pages int64, counter uint32) error {
	if pages == 0 || pages > int64(len(w.c.sent.hashes)) {
		return errAgain
	}
	w.c.sent.hashes = w.c.sent.hashes[:pages]
	w.c.finish(MethodWAL, pages*int64(w.c.sent.size), header{changeCounter: counter})
	return nil
}
