package catalog

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// SpaceError reports that the disk of the store is full, or would be.
type SpaceError struct {
	Path string
	Need int64 // bytes; 0 if not known
	Free int64 // bytes; -1 if not known
}

// Error implements error.
func (e *SpaceError) Error() string {
	s := "no space left for backups in " + e.Path
	if e.Need > 0 {
		s += fmt.Sprintf(": %s needed", bytesText(e.Need))
	}
	if e.Free >= 0 {
		s += fmt.Sprintf(", %s free", bytesText(e.Free))
	}
	return s
}

// Unwrap makes errors.Is(err, syscall.ENOSPC) true.
func (e *SpaceError) Unwrap() error { return syscall.ENOSPC }

// Room returns a *SpaceError if the store's disk has less than need bytes
// free. Where the free space cannot be known it returns nil.
func (s *Store) Room(need int64) error {
	if free := freeBytes(s.path); free >= 0 && free < need {
		return &SpaceError{Path: s.path, Need: need, Free: free}
	}
	return nil
}

// freeBytes returns what an ordinary user may still write at path, -1 if it
// cannot be known.
func freeBytes(path string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// explain turns a full disk into a *SpaceError, and names the store in any
// other error.
func (s *Store) explain(what string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &SpaceError{Path: s.path, Free: freeBytes(s.path)}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// ignoreUnsupported forgives file systems that cannot sync a folder.
func ignoreUnsupported(err error) error {
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// lock takes the advisory lock of an open folder. how is unix.LOCK_EX, with
// unix.LOCK_NB if it must not wait.
func lock(d *os.File, how int) error {
	for {
		err := unix.Flock(int(d.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func bytesText(n int64) string {
	f, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	for f >= 1024 && unit < len(units)-1 {
		f, unit = f/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[unit])
}
