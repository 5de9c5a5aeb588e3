// Package wire owns what the runner and its helper say to each other: one
// request, then a stream of frames that ends with a result or an error. A
// stream that ends without one was cut.
//
// It never knows what an operation means.
//
// The request is a line of JSON. The answer is one zstd stream (RFC 8878) of
// frames: a byte for the kind, four for the length of the payload, big endian,
// and the payload.
package wire

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Version is the version of the protocol; both ends must have the same.
const Version = 1

// Request starts an operation.
type Request struct {
	Version int             `json:"version"`
	Op      string          `json:"op"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// Kind is the kind of a frame.
type Kind byte

// The kinds. Result and Failure end a stream.
const (
	Data    Kind = 'D'
	Result  Kind = 'R' // JSON
	Failure Kind = 'E' // JSON of a helper.Error
)

const (
	maxRequest = 1 << 20
	maxFrame   = 1 << 20
)

// WriteRequest writes the request.
func WriteRequest(w io.Writer, r Request) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ReadRequest reads the request, and nothing behind it.
func ReadRequest(r *bufio.Reader) (Request, error) {
	var req Request
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxRequest {
			return req, errors.New("the request is too long")
		}
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return req, fmt.Errorf("read the request: %w", err)
		}
	}
	if err := json.Unmarshal(line, &req); err != nil {
		return req, fmt.Errorf("read the request: %w", err)
	}
	if req.Version != Version {
		return req, fmt.Errorf("the runner speaks version %d of the protocol, this helper version %d", req.Version, Version)
	}
	return req, nil
}

// Writer writes the frames of an answer. It is an io.Writer of Data frames.
type Writer struct{ z *zstd.Encoder }

// NewWriter returns a Writer to w. End must be called in the end.
func NewWriter(w io.Writer) (*Writer, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	return &Writer{z}, nil
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), maxFrame)]
		if err := w.frame(Data, part); err != nil {
			return n, err
		}
		n, p = n+len(part), p[len(part):]
	}
	return n, nil
}

// Flush sends what was written, which may be held back otherwise.
func (w *Writer) Flush() error { return w.z.Flush() }

// End writes the last frame, with v as JSON, and flushes all.
func (w *Writer) End(kind Kind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(payload) > maxFrame {
		return fmt.Errorf("the last frame has %d bytes", len(payload))
	}
	return errors.Join(w.frame(kind, payload), w.z.Close())
}

func (w *Writer) frame(kind Kind, payload []byte) error {
	var head [5]byte
	head[0] = byte(kind)
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	if _, err := w.z.Write(head[:]); err != nil {
		return err
	}
	_, err := w.z.Write(payload)
	return err
}

// Reader reads the frames of an answer.
type Reader struct {
	z    *zstd.Decoder
	left uint32 // of the Data frame at hand
}

// NewReader returns a Reader of r. Close must be called in the end.
func NewReader(r io.Reader) (*Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, err
	}
	return &Reader{z: z}, nil
}

// Close frees the reader.
func (r *Reader) Close() { r.z.Close() }

// End is the last frame of an answer; as an error it says that there is no
// more data.
type End struct {
	Kind    Kind
	Payload []byte
}

// Error implements error.
func (e *End) Error() string { return "end of the answer" }

// Read reads data. With the last frame it returns an *End. An answer that ends
// before that is io.ErrUnexpectedEOF.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.left == 0 {
		var head [5]byte
		if _, err := io.ReadFull(r.z, head[:]); err != nil {
			return 0, cut(err)
		}
		length := binary.BigEndian.Uint32(head[1:])
		if length > maxFrame {
			return 0, fmt.Errorf("a frame of %d bytes", length)
		}
		switch kind := Kind(head[0]); kind {
		case Data:
			r.left = length
		case Result, Failure:
			payload := make([]byte, length)
			if _, err := io.ReadFull(r.z, payload); err != nil {
				return 0, cut(err)
			}
			return 0, &End{kind, payload}
		default:
			return 0, fmt.Errorf("a frame of the unknown kind %q", kind)
		}
	}
	n, err := r.z.Read(p[:min(len(p), int(r.left))])
	r.left -= uint32(n)
	if n > 0 {
		return n, nil
	}
	return 0, cut(err)
}

func cut(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
