package pipe

import (
	"errors"

	"github.com/torrust/runner/internal/tasks"
)

// Stage is one element of a pipe: a task kind whose Task implements
// HostSource, SpoolSource, Filter, Check or Sink.
type Stage struct {
	Kind string // "gzip"
	Task tasks.Task
	On   string // "host" or "controller" to override the plan; else empty
}

// New joins stages to one task. What cannot be joined (a source that is not
// first, no sink last, …) is an error.
func New(stages []Stage) (tasks.Task, error) {
	return nil, errors.New("not yet")
}
