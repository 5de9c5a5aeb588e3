package sqlitecopy

import (
	"encoding/binary"
	"errors"
	"io"
)

// walIndex is the header of a wal-index, the file that ends in -shm: how far
// the write-ahead log is committed. See
// https://sqlite.org/walformat.html#the_wal_index_header.
type walIndex struct {
	frames     uint32 // of the log that are committed: mxFrame
	pages      uint32 // of the database after them
	pageSize   int    // 0 if nothing was ever written
	sum        checksum
	salts      [8]byte // of the log that it is about
	backfilled uint32  // frames that are in the database file already
}

const (
	walVersion     = 3007000
	walIndexHeader = 48
	walIndexRead   = 2*walIndexHeader + 4
)

// The bytes of the -shm file that connections lock; the same page.
const (
	lockCheckpoint = 121
	lockAttached   = 128 // the "dead man switch": held by whoever has it open
)

// readWALIndex reads the header. ok is false while it is being written, or if
// it was left in that state.
func readWALIndex(r io.ReaderAt) (h walIndex, ok bool, err error) {
	var b [walIndexRead]byte
	if n, err := r.ReadAt(b[:], 0); n < len(b) {
		if err != nil && !errors.Is(err, io.EOF) {
			return h, false, err
		}
		return h, false, nil
	}
	// It is shared memory: its numbers are in this machine's order.
	order := binary.NativeEndian
	first, second := b[:walIndexHeader], b[walIndexHeader:2*walIndexHeader]
	if string(first) != string(second) || order.Uint32(first) != walVersion || first[12] != 1 {
		return h, false, nil
	}
	if (checksum{}).over(order, first[:40]) != (checksum{order.Uint32(first[40:]), order.Uint32(first[44:])}) {
		return h, false, nil
	}
	size := int(order.Uint16(first[14:]))
	h = walIndex{
		frames: order.Uint32(first[16:]), pages: order.Uint32(first[20:]), pageSize: size&0xfe00 | size&1<<16,
		sum: checksum{order.Uint32(first[24:]), order.Uint32(first[28:])}, backfilled: order.Uint32(b[2*walIndexHeader:]),
	}
	copy(h.salts[:], first[32:])
	return h, true, nil
}

// checksum is that of a write-ahead log, see
// https://sqlite.org/fileformat2.html#checksum_algorithm.
type checksum struct{ s0, s1 uint32 }

// byteOrder is the order in which a log's checksums read its words.
type byteOrder interface{ Uint32([]byte) uint32 }

// over returns the checksum that goes on with data, whose length is a multiple
// of eight.
func (c checksum) over(order byteOrder, data []byte) checksum {
	for ; len(data) >= 8; data = data[8:] {
		c.s0 += order.Uint32(data) + c.s1
		c.s1 += order.Uint32(data[4:]) + c.s0
	}
	return c
}
