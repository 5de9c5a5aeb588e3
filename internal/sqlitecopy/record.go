package sqlitecopy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A stream is records: the offset of some bytes, how many, and the bytes.
// A later record wins over an earlier one.
const (
	recordHead = 12
	maxRecord  = 4 << 20
)

func writeRecord(w io.Writer, offset int64, data []byte) error {
	var head [recordHead]byte
	binary.BigEndian.PutUint64(head[:], uint64(offset))
	binary.BigEndian.PutUint32(head[8:], uint32(len(data)))
	if _, err := w.Write(head[:]); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// readRecord reads the next record into buf, which has room for maxRecord
// bytes. io.EOF means that there is none.
func readRecord(r io.Reader, buf []byte) (offset int64, data []byte, err error) {
	var head [recordHead]byte
	if n, err := io.ReadFull(r, head[:]); err != nil {
		if n > 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, nil, fmt.Errorf("the stream ends within a record: %w", err)
		}
		return 0, nil, err
	}
	offset, length := int64(binary.BigEndian.Uint64(head[:])), binary.BigEndian.Uint32(head[8:])
	if offset < 0 || length > maxRecord {
		return 0, nil, fmt.Errorf("a record of %d bytes at %d", length, offset)
	}
	data = buf[:length]
	if _, err := io.ReadFull(r, data); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return offset, data, nil
}
