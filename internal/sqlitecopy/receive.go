package sqlitecopy

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/zeebo/xxh3"
)

// Receive applies the records of r to f, which must be empty, until r ends.
// progress, which may be nil, is told how many bytes were applied.
func Receive(r io.Reader, f *os.File, progress func(done int64)) error {
	in := bufio.NewReaderSize(r, 256<<10)
	buf := make([]byte, maxRecord)
	var done int64
	for {
		offset, data, err := readRecord(in, buf)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(data, offset); err != nil {
			return err
		}
		if done += int64(len(data)); progress != nil {
			progress(done)
		}
	}
}

// Finish makes f what the trailer says, and proves that it is: the size, the
// hash of every page, and the header's own count of pages.
func Finish(f *os.File, t Trailer) error {
	if t.PageSize < 512 || t.Size <= 0 || t.Size%int64(t.PageSize) != 0 {
		return fmt.Errorf("the trailer makes no sense: %d bytes in pages of %d", t.Size, t.PageSize)
	}
	if err := f.Truncate(t.Size); err != nil {
		return err
	}
	digest, err := fileDigest(f, t)
	if err != nil {
		return err
	}
	if digest != t.Digest {
		return errors.New("what arrived is not what was sent: the digests of the pages differ")
	}
	h, err := readHeader(f, "the copy")
	if err != nil {
		return err
	}
	if h.changeCounter != t.ChangeCounter {
		return fmt.Errorf("the copy is of another moment: change counter %d, the lock saw %d", h.changeCounter, t.ChangeCounter)
	}
	if h.pages != 0 && int64(h.pages)*int64(h.pageSize) != t.Size {
		return fmt.Errorf("the copy has %d bytes, its header counts %d pages of %d", t.Size, h.pages, h.pageSize)
	}
	return nil
}

// fileDigest hashes every page of f as the sender has.
func fileDigest(f *os.File, t Trailer) (string, error) {
	sum := newDigest()
	block := make([]byte, blockBytes(t.PageSize))
	r := io.NewSectionReader(f, 0, t.Size)
	for {
		n, err := io.ReadFull(r, block)
		for at := 0; at < n; at += t.PageSize {
			sum.add(xxh3.HashSeed(block[at:min(at+t.PageSize, n)], t.Seed))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return sum.hex(), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// blockBytes is how much is read at once: whole pages, about 1 MiB.
func blockBytes(pageSize int) int { return max(1<<20/pageSize, 1) * pageSize }

// digest is the SHA-256 of page hashes, each as eight bytes.
type digest struct {
	buf []byte
	sum interface {
		io.Writer
		Sum([]byte) []byte
	}
}

func newDigest() *digest { return &digest{sum: sha256.New()} }

func (d *digest) add(h uint64) {
	d.buf = binary.BigEndian.AppendUint64(d.buf, h)
	if len(d.buf) >= 64<<10 {
		_, _ = d.sum.Write(d.buf) // a hash never fails
		d.buf = d.buf[:0]
	}
}

func (d *digest) hex() string {
	_, _ = d.sum.Write(d.buf) // a hash never fails
	d.buf = d.buf[:0]
	return hex.EncodeToString(d.sum.Sum(nil))
}
