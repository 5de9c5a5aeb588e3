// Package helper owns the controller's end of the helper: the small static
// binary of ours that is pushed to a host for work that needs our own code
// next to the data. It pushes the binary, starts operations, and reads their
// answers. The protocol is in the package wire, the host's end in agent.
//
// It never knows playbooks, nor what an operation means.
package helper

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
)

// Caller starts operations of the helper on one host, as one user. It is safe
// for concurrent use.
type Caller interface {
	// Call starts op with params, which become JSON. The helper is pushed
	// first if the host does not have it. The operation ends with its
	// stream: cancelling ctx, or closing the stream early, stops it and
	// waits until it has stopped, within a bound.
	Call(ctx context.Context, op string, params any) (Stream, error)
}

// Stream is the answer of one operation. It is not safe for concurrent use,
// and Close must be called in the end.
type Stream interface {
	// Read returns the data of the operation. It returns io.EOF only when
	// the operation has reported success and everything has arrived. A
	// failed operation is an *Error; a lost link wraps conn.ErrLost.
	io.Reader
	// Result decodes what the operation reported into v. It may be called
	// once Read has returned io.EOF.
	Result(v any) error
	// Wire returns how many bytes have crossed the network so far.
	Wire() int64
	// Close stops the operation if it still runs, and frees the channel.
	Close() error
}

// Error is a failure that an operation has reported.
type Error struct {
	Code string `json:"code"` // one of the Code constants, or the operation's own
	Msg  string `json:"msg"`
}

// Codes that every operation may use.
const (
	CodeNotFound   = "not_found"
	CodePermission = "permission"
	CodeInvalid    = "invalid"     // parameters that make no sense
	CodeFailed     = "failed"      // anything else
	CodeUnknownOp  = "unknown_op"  // older helper
	CodeTooBig     = "too_big"     // over a limit that was given
	CodeChanged    = "changed"     // the subject changed while it was read
	CodeNoSpace    = "no_space"    // the host's disk is full
	CodeInterrupt  = "interrupted" // the controller asked it to stop
)

// Error implements error.
func (e *Error) Error() string { return e.Msg }

// Is makes errors.Is work with fs.ErrNotExist and fs.ErrPermission.
func (e *Error) Is(target error) bool {
	return target == fs.ErrNotExist && e.Code == CodeNotFound || target == fs.ErrPermission && e.Code == CodePermission
}

// Stage is one element of the operation [OpStream]: a source or a filter that
// runs on the host.
type Stage struct {
	Name   string `json:"name"`
	Params any    `json:"params,omitempty"`
}

// OpStream is the operation that runs a source through filters on the host
// and sends what comes out.
const OpStream = "stream"

// StreamParams are the parameters of OpStream.
type StreamParams struct {
	Source  Stage   `json:"source"`
	Filters []Stage `json:"filters,omitempty"`
}

// Measure is the size and digest of the bytes that left a stage, taken on the
// host as they were written.
type Measure struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // lower-case hex
}

// StreamResult is the result of OpStream.
type StreamResult struct {
	Source json.RawMessage `json:"source,omitempty"` // what the source reports
	Stages []Measure       `json:"stages"`           // the source's, then each filter's
}
