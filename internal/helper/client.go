package helper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/helper/wire"
)

// Options say where the helper comes from and goes to.
type Options struct {
	Programs *Programs // those of this build if nil
	Dir      string    // an absolute folder on the host to try first; may be empty
}

// Client is the helper on one host, as one user.
type Client struct {
	conn conn.Conn
	o    Options

	mu   sync.Mutex
	path string // on the host; empty before the first use
}

var _ Caller = (*Client)(nil)

// New returns a client. Nothing is done before the first call; c stays the
// caller's.
func New(c conn.Conn, o Options) *Client {
	if o.Programs == nil {
		o.Programs = &Programs{}
	}
	return &Client{conn: c, o: o}
}

// Call implements Caller.
func (c *Client) Call(ctx context.Context, op string, params any) (Stream, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	path, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	var request bytes.Buffer
	if err := wire.WriteRequest(&request, wire.Request{Version: wire.Version, Op: op, Params: raw}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	r, w := io.Pipe()
	s := &stream{ctx: ctx, cancel: cancel, out: r, over: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		// The input stays open after the request: its end is the sign to stop.
		in := io.MultiReader(&request, untilClosed(s.over))
		s.runErr = c.conn.Run(ctx, conn.Cmd{Argv: []string{path, Argument}, Stdin: in, Stdout: &counting{w, &s.wire}})
		_ = w.CloseWithError(io.EOF)
	}()
	return s, nil
}

// ready puts the helper on the host once. A failure is not remembered.
func (c *Client) ready(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == "" {
		path, err := c.push(ctx)
		if err != nil {
			return "", err
		}
		c.path = path
	}
	return c.path, nil
}

// untilClosed is a reader that yields nothing, and ends when the channel is
// closed.
type untilClosed chan struct{}

func (u untilClosed) Read([]byte) (int, error) {
	<-u
	return 0, io.EOF
}

type counting struct {
	w io.Writer
	n *atomic.Int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.w.Write(p)
}

// stream is a Stream over a command.
type stream struct {
	ctx    context.Context // of the operation, which outlives Call
	cancel context.CancelCauseFunc
	out    *io.PipeReader
	frames *wire.Reader // nil before the first Read
	wire   atomic.Int64

	over   chan struct{} // closed to stop the helper
	ended  chan struct{} // closed when the command has ended
	runErr error         // valid after that
	close  sync.Once

	last   error // what Read returns from now on
	result json.RawMessage
}

// Read implements Stream.
func (s *stream) Read(p []byte) (int, error) {
	if s.last != nil {
		return 0, s.last
	}
	if s.frames == nil {
		var err error
		if s.frames, err = wire.NewReader(s.out); err != nil {
			return 0, s.finish(err)
		}
	}
	n, err := s.frames.Read(p)
	if err != nil {
		return n, s.finish(err)
	}
	return n, nil
}

// finish decides what the end of the answer means.
func (s *stream) finish(err error) error {
	s.stop()
	<-s.ended
	end, whole := errors.AsType[*wire.End](err)
	switch {
	case context.Cause(s.ctx) != nil && !(whole && end.Kind == wire.Result):
		s.last = context.Cause(s.ctx)
	case whole && end.Kind == wire.Failure:
		told := &Error{}
		if json.Unmarshal(end.Payload, told) != nil {
			told = &Error{Code: CodeFailed, Msg: string(end.Payload)}
		}
		s.last = told
	case whole && s.runErr == nil:
		s.result, s.last = end.Payload, io.EOF
	case s.runErr != nil:
		s.last = fmt.Errorf("the helper: %w", s.runErr)
	default:
		s.last = fmt.Errorf("%w: the helper's answer was cut (%w)", conn.ErrLost, err)
	}
	return s.last
}

// Result implements Stream.
func (s *stream) Result(v any) error {
	if s.result == nil {
		return errors.New("the operation has not ended")
	}
	return json.Unmarshal(s.result, v)
}

// Wire implements Stream.
func (s *stream) Wire() int64 { return s.wire.Load() }

func (s *stream) stop() { s.close.Do(func() { close(s.over) }) }

var errClosed = errors.New("the stream was closed")

// Close implements Stream.
func (s *stream) Close() error {
	s.stop()
	if s.last == nil {
		s.cancel(errClosed)
		s.last = errClosed
	}
	_ = s.out.CloseWithError(errClosed) // never fails
	<-s.ended
	s.cancel(nil)
	if s.frames != nil {
		s.frames.Close()
		s.frames = nil
	}
	return nil
}
