// Package window owns a maintenance window on the host: containers that are
// stopped for a while and started again, whatever becomes of the runner. It
// runs on the host, in the helper.
//
// It never knows what is done meanwhile, nor the network.
//
// A keeper, a process in a session of its own, does the stopping and the
// starting. The helper only holds the keeper's input: when that ends, since
// the runner wants it, or the helper was killed, or the link is gone, the
// keeper starts what it has stopped, and ends. The deadline makes it do so, too.
// Should the keeper be killed, the helper does it in its place.
//
// While a keeper lives it is bound to an abstract socket (unix(7)) for each of
// its containers, which no other keeper can be bound to then: two windows never
// share a container, and whoever wants to know whether a keeper is done waits
// for the end of its socket. Nothing of this is left on a disk.
package window

import (
	"fmt"
	"strings"
	"time"

	"github.com/torrust/runner/internal/container"
)

// The operations of the helper: [Hold] and [Serve].
const (
	OpHold  = "window_hold"
	OpServe = "window_serve"
)

// Params say what a window stops.
type Params struct {
	Engine   string        `json:"engine,omitempty"` // docker, podman; empty: whichever there is
	Stop     []string      `json:"stop"`             // containers or compose services, in this order; started in the reverse one
	Project  string        `json:"project,omitempty"`
	Signal   string        `json:"signal,omitempty"` // sent before the engine's own; empty: none
	Grace    time.Duration `json:"grace"`            // after which a container that has not ended is killed
	Deadline time.Duration `json:"deadline"`         // how long the window may be open
}

// Service is a container that a window is about.
type Service struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// News is what a keeper tells. Each of them is a line of JSON.
type News struct {
	// Stopping is sent before anything is stopped, Open when all is.
	// Closed is the last one: all was started, or Msg says why not.
	Event   string    `json:"event"`
	Engine  string    `json:"engine,omitempty"`
	Stopped []Service `json:"stopped,omitempty"` // those that ran
	Idle    []string  `json:"idle,omitempty"`    // those that did not, and stay as they are
	Why     string    `json:"why,omitempty"`     // of Closed: one of the reasons below
	Code    string    `json:"code,omitempty"`    // of a failure
	Msg     string    `json:"msg,omitempty"`
}

// Events of a keeper.
const (
	Stopping = "stopping"
	Open     = "open"
	Closed   = "closed"
)

// Reasons for which a keeper closes its window.
const (
	Asked     = "asked"     // its input has ended
	Deadline  = "deadline"  // it was open for too long
	Terminate = "terminate" // SIGTERM, such as of a shutdown
	Failed    = "failed"    // something could not be stopped
	Nothing   = "nothing"   // nothing ran
)

// Codes of failures.
const (
	CodeNoEngine  = "no_engine"
	CodeForbidden = "permission"
	CodeContainer = "container"   // missing, paused, or several
	CodeBusy      = "window_busy" // another window holds it
	CodeStop      = "stop"        // it could not be stopped
	CodeStart     = "start"       // it could not be started again
	CodeUnhealthy = "unhealthy"   // it runs, and is not well
	CodeDeadline  = "deadline"    // the window was open for too long
	CodeKeeper    = "keeper"      // the keeper has ended before its time
)

// Error is a refusal or a failure.
type Error struct {
	Code string
	Msg  string
}

// Error implements error.
func (e *Error) Error() string { return e.Msg }

func fail(code, format string, args ...any) *Error { return &Error{code, fmt.Sprintf(format, args...)} }

// engineError gives a failure of the engine its code.
func engineError(err error, otherwise string) *Error {
	code := otherwise
	switch container.KindOf(err) {
	case container.NoEngine, container.Down:
		code = CodeNoEngine
	case container.Forbidden:
		code = CodeForbidden
	case container.Missing, container.Ambiguous:
		code = CodeContainer
	}
	return &Error{code, err.Error()}
}

// names joins the names of services as a person would.
func names(list []Service) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Name
	}
	return strings.Join(out, ", ")
}
