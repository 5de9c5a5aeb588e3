package sqlitecopy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// walHeader begins a write-ahead log, see
// https://sqlite.org/fileformat2.html#the_write_ahead_log.
type walHeader struct {
	order    byteOrder // of its checksums
	pageSize int
	salts    [8]byte
	sum      checksum
}

const (
	walHeaderSize   = 32
	frameHeaderSize = 24
	walMagic        = 0x377f0682 // the lowest bit tells the order of the checksums
)

// readWALHeader reads the header of a log. ok is false if there is none: then
// there is no frame either.
func readWALHeader(r io.ReaderAt) (h walHeader, ok bool, err error) {
	var b [walHeaderSize]byte
	if n, err := r.ReadAt(b[:], 0); n < len(b) {
		if err != nil && !errors.Is(err, io.EOF) {
			return h, false, err
		}
		return h, false, nil
	}
	first := binary.BigEndian.Uint32(b[:])
	if first&^1 != walMagic || binary.BigEndian.Uint32(b[4:]) != walVersion {
		return h, false, nil
	}
	h = walHeader{order: binary.LittleEndian, pageSize: int(binary.BigEndian.Uint32(b[8:]))}
	if first&1 == 1 {
		h.order = binary.BigEndian
	}
	copy(h.salts[:], b[16:])
	h.sum = checksum{}.over(h.order, b[:24])
	sane := h.pageSize >= 512 && h.pageSize <= 65536 && h.pageSize&(h.pageSize-1) == 0
	return h, sane && h.sum == (checksum{binary.BigEndian.Uint32(b[24:]), binary.BigEndian.Uint32(b[28:])}), nil
}

// log is what the committed frames of a write-ahead log say.
type log struct {
	frames uint32            // up to the last commit, and with it
	pages  uint32            // of the database after it
	newest map[uint32]uint32 // page -> the last of those frames that holds it; both count from 1
	sum    checksum          // after the last commit
}

// readLog follows the chain of frames as long as it holds: the salts are the
// header's and the checksums go on. It reads no more than limit frames if
// that is not 0. What follows the last commit is left out.
func readLog(r io.ReaderAt, h walHeader, limit uint32) (log, error) {
	l := log{newest: map[uint32]uint32{}, sum: h.sum}
	in := bufio.NewReaderSize(io.NewSectionReader(r, walHeaderSize, 1<<62), 1<<20)
	frame := make([]byte, frameHeaderSize+h.pageSize)
	open := map[uint32]uint32{} // since the last commit
	sum := h.sum
	for n := uint32(1); limit == 0 || n <= limit; n++ {
		if _, err := io.ReadFull(in, frame); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			return l, err
		}
		sum = sum.over(h.order, frame[:8]).over(h.order, frame[frameHeaderSize:])
		page, commit := binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:])
		if page == 0 || string(frame[8:16]) != string(h.salts[:]) ||
			sum != (checksum{binary.BigEndian.Uint32(frame[16:]), binary.BigEndian.Uint32(frame[20:])}) {
			break
		}
		open[page] = n
		if commit == 0 {
			continue
		}
		for page, n := range open {
			l.newest[page] = n
		}
		clear(open)
		l.frames, l.pages, l.sum = n, commit, sum
	}
	return l, nil
}

// frameOffset is where the page of a frame stands in the log.
func frameOffset(frame uint32, pageSize int) int64 {
	return walHeaderSize + int64(frame-1)*int64(frameHeaderSize+pageSize) + frameHeaderSize
}
