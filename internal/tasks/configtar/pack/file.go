package pack

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const (
	// inMemory is the largest file that is read whole before it is written,
	// so that one that changed meanwhile can be read again unseen.
	inMemory = 1 << 20
	attempts = 3
	// pauseBeforeRetry lets whoever writes the file finish.
	pauseBeforeRetry = 100 * time.Millisecond
	// tick is how coarse the times of a file may be (a jiffy of 100 Hz, with
	// room): a change that soon before the read might not show.
	tick = 20 * time.Millisecond
)

// file packs a regular file whose content is that of one moment: its times and
// its size are the same before and after it was read.
func (k *packer) file(e entry) error {
	id, several := severalNames(e.info)
	if first := k.inodes[id]; several && first != "" {
		k.report.Links++
		h := header(e.path, e.info, tar.TypeLink)
		h.Linkname = first
		return k.tw.WriteHeader(h)
	}
	for attempt := 1; ; attempt++ {
		stable, err := k.fileOnce(e, attempt == attempts)
		if err != nil {
			return k.orVanished(e.path, err)
		}
		if stable {
			if several {
				k.inodes[id] = e.path[1:]
			}
			k.report.Regular++
			note(&k.report.Files, e.path)
			return nil
		}
		if err := k.wait(); err != nil {
			return err
		}
	}
}

func severalNames(info fs.FileInfo) (inode, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Nlink < 2 {
		return inode{}, false
	}
	return inode{uint64(st.Dev), st.Ino}, true
}

func (k *packer) wait() error {
	t := time.NewTimer(k.pause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-k.ctx.Done():
		return k.ctx.Err()
	}
}

// fileOnce reads a file and packs it. It returns false if the file must be
// read again. A large one has been packed by then: the later entry replaces it
// when the archive is unpacked.
func (k *packer) fileOnce(e entry, last bool) (bool, error) {
	f, before, err := e.open()
	if err != nil {
		return false, err
	}
	defer f.Close()
	start := time.Now()
	if err := k.fits(e.path, before.Size()); err != nil {
		return false, err
	}
	h := header(e.path, before, tar.TypeReg)
	h.Size = before.Size()
	if before.Size() > inMemory {
		n, err := k.stream(f, h)
		if err != nil {
			return false, err
		}
		stable, err := k.verdict(e.path, f, before, start, n == h.Size, last)
		if stable {
			k.report.Bytes += h.Size
		}
		return stable, err
	}
	content, err := io.ReadAll(io.LimitReader(f, before.Size()+1))
	if err != nil {
		return false, err
	}
	if stable, err := k.verdict(e.path, f, before, start, int64(len(content)) == h.Size, last); !stable {
		return false, err
	}
	if bytes.HasPrefix(content, sqliteMagic) {
		note(&k.report.Databases, e.path)
	}
	h.Size = int64(len(content))
	k.report.Bytes += h.Size
	if err := k.tw.WriteHeader(h); err != nil {
		return false, err
	}
	_, err = k.tw.Write(content)
	return true, err
}

var sqliteMagic = []byte("SQLite format 3\x00")

func (k *packer) fits(path string, size int64) error {
	if k.p.MaxSize > 0 && k.report.Bytes+size > k.p.MaxSize {
		return &SizeError{Path: path, Max: k.p.MaxSize}
	}
	return nil
}

// stream packs a large file as it is read. A file that has become shorter is
// filled up with zeros, since its header has gone out. It returns how many
// bytes the file had.
func (k *packer) stream(f *os.File, h *tar.Header) (int64, error) {
	if err := k.tw.WriteHeader(h); err != nil {
		return 0, err
	}
	head := make([]byte, len(sqliteMagic))
	if n, _ := f.ReadAt(head, 0); bytes.Equal(head[:n], sqliteMagic) {
		note(&k.report.Databases, "/"+h.Name)
	}
	n, err := copyN(k, f, h.Size)
	if err != nil {
		return n, err
	}
	for left := h.Size - n; left > 0; {
		m, err := k.tw.Write(zeros[:min(left, int64(len(zeros)))])
		if err != nil {
			return n, err
		}
		left -= int64(m)
	}
	return n, nil
}

var zeros [32 << 10]byte

// copyN copies up to size bytes, and looks at the context meanwhile.
func copyN(k *packer, f io.Reader, size int64) (int64, error) {
	var done int64
	for done < size {
		if err := k.ctx.Err(); err != nil {
			return done, err
		}
		n, err := io.CopyN(k.tw, f, min(size-done, inMemory))
		done += n
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// verdict tells whether what was read is the content of one moment. If not,
// and it was the last attempt, it is an error or is kept with a word.
func (k *packer) verdict(path string, f *os.File, before fs.FileInfo, start time.Time, whole, last bool) (bool, error) {
	after, err := f.Stat()
	if err != nil {
		return false, err
	}
	unchanged := whole && sameState(before, after)
	fresh := start.Sub(changeTime(before)) < tick && !last
	if unchanged && !fresh {
		return true, nil
	}
	if !last {
		return false, nil
	}
	if k.p.Changed == KeepChanged {
		note(&k.report.Unstable, path)
		return true, nil
	}
	return false, &ChangedError{Path: path}
}

func sameState(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && changeTime(a).Equal(changeTime(b))
}

// changeTime returns the time of the last change of content or attributes.
func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return info.ModTime()
}
