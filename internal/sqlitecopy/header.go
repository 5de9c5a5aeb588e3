package sqlitecopy

import (
	"encoding/binary"
	"errors"
	"io"
)

// header is what we need of the first page, see
// https://sqlite.org/fileformat2.html#the_database_header.
type header struct {
	pageSize      int
	wal           bool
	changeCounter uint32
	pages         uint32 // 0 if the field is not to be trusted
}

const (
	headerSize = 100
	magic      = "SQLite format 3\x00"
)

// readHeader reads the header of a database; path is for messages.
func readHeader(r io.ReaderAt, path string) (header, error) {
	var b [headerSize]byte
	n, err := r.ReadAt(b[:], 0)
	if n < headerSize {
		if err != nil && !errors.Is(err, io.EOF) {
			return header{}, err
		}
		if n == 0 {
			return header{}, refuse(CodeNotDatabase, "%s is empty: no table was ever made in it", path)
		}
		return header{}, refuse(CodeNotDatabase, "%s is not a SQLite database: it has only %d bytes", path, n)
	}
	if string(b[:16]) != magic {
		return header{}, refuse(CodeNotDatabase, "%s is not a SQLite database, or an encrypted one: it does not begin as one", path)
	}
	h := header{
		pageSize:      int(binary.BigEndian.Uint16(b[16:])),
		wal:           b[19] == 2,
		changeCounter: binary.BigEndian.Uint32(b[24:]),
	}
	if h.pageSize == 1 {
		h.pageSize = 65536
	}
	if b[18] != b[19] && b[18] <= 2 && b[19] <= 2 {
		return header{}, refuse(CodeNotDatabase, "%s is a SQLite database that a newer SQLite may only read (versions %d and %d): nothing is known of its locks", path, b[18], b[19])
	}
	if h.pageSize < 512 || h.pageSize&(h.pageSize-1) != 0 || b[18] < 1 || b[18] > 2 || b[19] < 1 || b[19] > 2 {
		return header{}, refuse(CodeNotDatabase, "%s has the header of a SQLite database, but makes no sense (page size %d, versions %d and %d)", path, h.pageSize, b[18], b[19])
	}
	if binary.BigEndian.Uint32(b[92:]) == h.changeCounter {
		h.pages = binary.BigEndian.Uint32(b[28:])
	}
	return h, nil
}
