package sqlitecopy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// window is what was found under the lock.
type window struct {
	patches []patch
	size    int64
	header  header
	held    time.Duration
	waited  time.Duration
}

// errBudget reports a lock that was given up since it lasted too long.
var errBudget = errors.New("the lock was held for too long and given up")

// hardBudget is when a lock is given up.
func hardBudget(p Params) time.Duration { return p.MaxLock * 3 / 2 }

// locked finds what has changed under the SHARED lock. Nothing waits for the
// network, the disk or the garbage collector while the lock is held: the file
// was just read, so it is in the page cache.
func (s *source) locked(ctx context.Context, p Params, sent *pages) (w window, err error) {
	mapping, unmap, err := s.mapFile()
	if err != nil {
		return w, err
	}
	defer unmap()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))

	asked := time.Now()
	if err := lockShared(ctx, s.f, p.LockWait); err != nil {
		return w, err
	}
	began := time.Now()
	w.waited = began.Sub(asked)
	w.patches, w.size, w.header, err = s.underLock(p, sent, mapping, began)
	unlockErr := unlockShared(s.f)
	w.held = time.Since(began)
	return w, errors.Join(err, unlockErr)
}

func (s *source) underLock(p Params, sent *pages, mapping []byte, began time.Time) ([]patch, int64, header, error) {
	h, info, err := s.settled()
	if err != nil {
		return nil, 0, h, err
	}
	size := info.Size()
	if h.pageSize != sent.size || size%int64(h.pageSize) != 0 || size == 0 {
		return nil, 0, h, refuse(CodeReplaced, "%s has %d bytes in pages of %d now: it was made anew while it was copied", s.path, size, h.pageSize)
	}
	read := func(buf []byte, offset int64) ([]byte, error) {
		if end := offset + int64(len(buf)); end <= int64(len(mapping)) {
			return mapping[offset:end], nil // within the file: it cannot shrink under the lock
		}
		_, err := s.f.ReadAt(buf, offset)
		return buf, err
	}
	patches, err := sent.scan(int(size/int64(h.pageSize)), read, func(kept int64) error {
		if time.Since(began) > hardBudget(p) {
			return errBudget
		}
		if kept > arenaCap {
			return errArena
		}
		return nil
	})
	return patches, size, h, err
}

// mapFile maps the file and reads it into memory.
func (s *source) mapFile() (mapping []byte, unmap func(), err error) {
	info, err := s.f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() == 0 {
		return nil, func() {}, nil
	}
	mapping, err = unix.Mmap(int(s.f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map the database: %w", err)
	}
	// Older kernels do not know this: the pages are mapped as they are read.
	_ = unix.Madvise(mapping, unix.MADV_POPULATE_READ)
	return mapping, func() { _ = unix.Munmap(mapping) }, nil
}

// maxCold is how much of the file may be missing in the page cache, in
// parts of a hundred.
const maxCold = 1

// cold returns how much of the file is not in the page cache, in bytes, see
// mincore(2).
func cold(mapping []byte) int64 {
	if len(mapping) == 0 {
		return 0
	}
	page := os.Getpagesize()
	vec := make([]byte, (len(mapping)+page-1)/page)
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapping[0])), uintptr(len(mapping)), uintptr(unsafe.Pointer(&vec[0])))
	if errno != 0 {
		return 0 // not to be known here; the budget still holds
	}
	var missing int64
	for _, v := range vec {
		if v&1 == 0 {
			missing += int64(page)
		}
	}
	return missing
}
