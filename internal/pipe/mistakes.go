package pipe

import (
	"fmt"

	"github.com/torrust/runner/internal/tasks"
)

// StageError is a stage that cannot be where it stands.
type StageError struct {
	Index int // of the stage in the pipe; 0 if the pipe is empty
	Kind  string
	Msg   string
	Hint  string // what to write instead; may be empty
}

// Error implements error.
func (e *StageError) Error() string {
	s := e.Msg
	if e.Kind != "" {
		s = fmt.Sprintf("stage %d (%s): %s", e.Index+1, e.Kind, e.Msg)
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Mistakes returns what is wrong with the order of stages and with where they
// are told to run. It looks only at their types, so tasks fresh from
// [tasks.Spec.New] will do: a playbook is checked when it is read.
func Mistakes(stages []Stage) []*StageError {
	if len(stages) == 0 {
		return []*StageError{{Msg: "a pipe needs stages", Hint: "a source first, then filters and checks, then fetch"}}
	}
	var out []*StageError
	complain := func(i int, hint, format string, args ...any) {
		out = append(out, &StageError{Index: i, Kind: stages[i].Kind, Msg: fmt.Sprintf(format, args...), Hint: hint})
	}
	last := len(stages) - 1
	for i, s := range stages {
		switch r := roleOf(s.Task, i, last); {
		case r == roleNone:
			complain(i, "write it as a task of its own", "%s cannot be a stage of a pipe", s.Kind)
		case i == 0 && r != roleSource:
			complain(i, "begin with what reads the data, such as sqlite_copy or config_tar", "a pipe begins with a source, %s is %s", s.Kind, r)
		case i > 0 && r == roleSource:
			complain(i, "make a second pipe of it", "%s is a source and can only be the first stage", s.Kind)
		case i < last && r == roleSink:
			complain(i, "move it to the end", "%s ends the pipe, there is a stage after it", s.Kind)
		case i == last && r != roleSink:
			complain(i, "end with fetch: { dest: NAME }", "a pipe ends with what keeps the artifact, %s is %s", s.Kind, r)
		}
	}
	for i, s := range stages {
		if hint, msg := misplaced(stages, i); msg != "" {
			complain(i, hint, "on: %s: %s", s.On, msg)
		}
	}
	return out
}

type role string

const (
	roleNone   role = ""
	roleSource role = "a source"
	roleFilter role = "a filter"
	roleCheck  role = "a check"
	roleSink   role = "a sink"
)

// roleOf returns the role that t plays at place i. A kind that has several
// plays the one that fits its place.
func roleOf(t tasks.Task, i, last int) role {
	_, host := t.(HostSource)
	_, spool := t.(SpoolSource)
	_, filter := t.(Filter)
	_, check := t.(Check)
	_, sink := t.(Sink)
	source := host || spool
	switch {
	case i == 0 && source:
		return roleSource
	case i == last && sink:
		return roleSink
	case filter:
		return roleFilter
	case check:
		return roleCheck
	case source:
		return roleSource
	case sink:
		return roleSink
	}
	return roleNone
}
