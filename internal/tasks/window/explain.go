package window

import (
	"errors"
	"fmt"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/window"
)

// refusal is a failure on the host, with what to do about it.
type refusal struct {
	error
	advice string
}

func (r *refusal) Unwrap() error { return r.error }

// Hint says what to do about it.
func (r *refusal) Hint() string { return r.advice }

// advice says what to do about a failure, by its code.
var advice = map[string]string{
	window.CodeNoEngine:  "does Docker run on the host?",
	window.CodeForbidden: "add become: true to the block, or put the login user into the group docker",
	window.CodeContainer: "docker ps -a lists the containers",
	window.CodeBusy:      "is another run at work on this host? Its window ends with it",
	window.CodeStop:      "what was stopped already runs again",
	window.CodeStart:     "look at the host now: docker ps -a, docker logs",
	window.CodeUnhealthy: "look at the host now: docker ps -a, docker logs. healthy_timeout says how long to wait",
	window.CodeDeadline:  "raise max, or take less into the block",
	window.CodeKeeper:    "was the host short of memory? Run it again",
}

// brokenWindow says that a window has ended before its block. A link that was
// lost meanwhile is not that of this task: it is not wrapped.
func brokenWindow(why error, now string) error {
	err := fmt.Errorf("the window did not last until the end of the block, so what was done in it counts for nothing: %v; %s", why, now)
	if told, ok := errors.AsType[*helper.Error](why); ok {
		return &refusal{err, advice[told.Code]}
	}
	return err
}

func explain(err error) error {
	told, ok := errors.AsType[*helper.Error](err)
	if !ok || advice[told.Code] == "" {
		return err
	}
	return &refusal{err, advice[told.Code]}
}
