// Package agent owns the host's end of the helper: it reads one request, does
// the operation, and ends. When its standard input ends, so does the process,
// and with it every lock and every file that it holds: that is how the runner
// stops it, and how a lost link looks.
//
// It never knows playbooks, and it leaves nothing behind.
package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/torrust/runner/internal/helper/wire"
)

// Op does one operation: it writes data to out, and returns its result. An
// error is a *Failure, or gets its code by what it is.
type Op func(ctx context.Context, params json.RawMessage, out io.Writer) (result any, err error)

// Failure is an error with a code that the runner's end knows.
type Failure struct {
	Code string `json:"code"`
	Msg  string `json:"msg"`
}

// Error implements error.
func (f *Failure) Error() string { return f.Msg }

// errGone is the cause when the runner has closed our input.
var errGone = errors.New("the runner has gone")

// grace is how long an operation may take to end by itself.
const grace = time.Second

// Serve answers one request, and returns the exit status.
func Serve(ctx context.Context, ops map[string]Op, in io.Reader, out io.Writer) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := bufio.NewReader(in)
	w, err := wire.NewWriter(out)
	if err != nil {
		return 1
	}
	req, err := wire.ReadRequest(r)
	if err != nil {
		_ = w.End(wire.Failure, failure(ctx, err)) // nobody is left to tell otherwise
		return 1
	}
	go func() { // ends with the process
		_, _ = io.Copy(io.Discard, r)
		cancel(errGone)
		time.Sleep(grace)
		os.Exit(3)
	}()
	op, ok := ops[req.Op]
	if !ok {
		err = &Failure{"unknown_op", "the helper does not know the operation " + req.Op}
	}
	var result any
	if ok {
		result, err = op(ctx, req.Params, w)
	}
	if err != nil {
		if w.End(wire.Failure, failure(ctx, err)) != nil {
			return 2
		}
		return 0 // told
	}
	if w.End(wire.Result, result) != nil {
		return 2
	}
	return 0
}

// failure gives an error its code.
func failure(ctx context.Context, err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	code := "failed"
	switch {
	case context.Cause(ctx) != nil:
		code = "interrupted"
	case errors.Is(err, fs.ErrNotExist):
		code = "not_found"
	case errors.Is(err, fs.ErrPermission):
		code = "permission"
	case errors.Is(err, syscall.ENOSPC):
		code = "no_space"
	}
	return &Failure{code, err.Error()}
}

func invalid(format string, args ...any) error {
	return &Failure{"invalid", fmt.Sprintf(format, args...)}
}
