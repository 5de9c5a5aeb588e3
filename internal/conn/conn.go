// Package conn owns the contract between the runner and one host: running
// commands, moving files, and how each of these can fail.
//
// It never knows which implementation is behind it (SSH, local), what a task
// is, or what a playbook says.
package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// ErrLost reports that the link died before the outcome was known: the
// command may have run, may be running, or may never have started.
var ErrLost = errors.New("connection lost")

// ErrNotSupported reports that the host cannot do what was asked in any way
// that the Conn knows.
var ErrNotSupported = errors.New("not supported by this host")

// Dialer opens connections. It is safe for concurrent use; the connections
// to jump hosts are its own and end with Close.
type Dialer interface {
	// Dial returns an authenticated connection. ctx bounds name
	// resolution, connecting, key exchange and authentication together,
	// over all jump hosts. A failure is a *DialError.
	Dial(ctx context.Context, t Target) (Conn, error)
	// Close ends what the Dialer shares between connections.
	Close() error
}

// Conn is one live connection to one host. It is safe for concurrent use.
type Conn interface {
	// Run starts c and returns once the remote side has reported an exit
	// and all output has been written. A non-zero exit or a death by
	// signal is an *ExitError. If the link dies first the error wraps
	// ErrLost. If ctx ends first, Run stops the command and what it
	// started as best it can and returns context.Cause(ctx).
	Run(ctx context.Context, c Cmd) error

	// Get streams the file at path into w and returns its metadata,
	// following symbolic links. Errors match fs.ErrNotExist and
	// fs.ErrPermission where they apply.
	Get(ctx context.Context, path string, w io.Writer) (fs.FileInfo, error)

	// Put replaces the file at path with what r yields. Readers of path
	// see the old file or the new one, never a mixture; if Put fails the
	// old one stands and nothing else is left.
	Put(ctx context.Context, path string, r io.Reader, mode fs.FileMode) error

	// Stat describes path without following a final symbolic link.
	Stat(ctx context.Context, path string) (fs.FileInfo, error)

	// As returns a view of the same connection that acts as another user.
	// Closing the view does nothing. The zero Become returns the view of
	// the login user.
	As(b Become) Conn

	// Peer describes the other end.
	Peer() Peer

	// Close ends the connection and everything running on it.
	Close() error
}

// Cmd is a command to run on a host.
type Cmd struct {
	Argv           []string // quoted by the Conn; never pre-joined
	Stdin          io.Reader
	Stdout, Stderr io.Writer // nil discards
	Env            map[string]string
	Dir            string
}

// Shell returns the argument vector that runs script by /bin/sh.
func Shell(script string) []string { return []string{"/bin/sh", "-c", script} }

// Become says as whom to act, and how to get there. The zero value is the
// login user.
type Become struct {
	Method   string // "sudo", "su" or "doas"
	User     string // "root" if empty
	Password string // given on stdin or to a prompt; never in an argument
	Exe      string // the program, if not the method's name
	Flags    string // in place of the method's usual flags
}

// Peer describes the host's end of a connection, for manifests and messages.
type Peer struct {
	Addr        string // host:port; "local" without a network
	User        string // the login user
	Fingerprint string // the host key, as SHA256:…; empty without SSH
	Server      string // version banner
}

// ExitError reports a command that ended without success.
type ExitError struct {
	Code   int    // exit status; -1 if a signal ended it
	Signal string // "TERM", "KILL"; empty if it exited
	Stderr string // the last lines, if the caller did not take stderr
}

// Error implements error.
func (e *ExitError) Error() string {
	s := fmt.Sprintf("exit status %d", e.Code)
	if e.Signal != "" {
		s = "ended by signal " + e.Signal
	}
	if e.Stderr != "" {
		s += ": " + e.Stderr
	}
	return s
}

// Stage is the part of dialing that failed.
type Stage string

// The stages of dialing, in their order.
const (
	StageConfig    Stage = "configuration" // key file unreadable, option refused
	StageResolve   Stage = "resolve"
	StageConnect   Stage = "connect"
	StageJump      Stage = "jump host"
	StageHandshake Stage = "handshake"
	StageHostKey   Stage = "host key"
	StageAuth      Stage = "authentication"
)

// DialError reports why a host could not be reached.
type DialError struct {
	Target Target
	Stage  Stage
	Err    error
	// Hint says what the person can do about it; may be several lines.
	Hint string
}

// Error implements error: "connect 192.0.2.7:22: connection refused".
func (e *DialError) Error() string {
	return fmt.Sprintf("%s %s: %v", e.Stage, e.Target.Addr(), e.Err)
}

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }
