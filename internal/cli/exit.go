package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/torrust/runner/internal/diag"
)

// The exit codes; docs/exit-codes.md explains them.
const (
	exitOK          = 0
	exitError       = 1
	exitFailed      = 2
	exitUnreachable = 4
	exitInvalid     = 5
	exitInterrupted = 130
)

// usageError is a mistake on the command line, or in what it names: nothing
// was run.
type usageError struct {
	msg  string
	hint string
	err  error // what is behind it; may be nil
}

func (e *usageError) Error() string {
	if e.err != nil && e.msg != "" {
		return e.msg + ": " + e.err.Error()
	}
	if e.err != nil {
		return e.err.Error()
	}
	return e.msg
}

func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) *usageError {
	return &usageError{msg: fmt.Sprintf(format, args...)}
}

// outcome is what a run ends with that did not end well on every host; the
// run itself has told the story.
type outcome interface {
	error
	Unreachable() bool // of any host
}

// exitCode says by which code a command ends that has returned err.
func exitCode(ctx context.Context, err error) int {
	var usage *usageError
	var run outcome
	switch {
	case err == nil:
		return exitOK
	case errors.Is(context.Cause(ctx), errInterrupted), errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &run) && run.Unreachable():
		return exitUnreachable
	case errors.As(err, &run):
		return exitFailed
	case errors.As(err, &usage), len(diag.All(err)) > 0:
		return exitInvalid
	}
	return exitError
}
