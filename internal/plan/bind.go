package plan

import (
	"fmt"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// Bind makes the task that does the work of t for one host, with the values
// that ev gives at the moment of use. Its errors are positioned. A Meta has
// nothing to bind: asking is a mistake in our own code, and an error.
func (t *Task) Bind(ev tasks.Evaluator) (tasks.Task, error) {
	switch w := t.Work.(type) {
	case Module:
		return w.Spec.Decode(w.Args, w.At, ev)
	case Pipe:
		stages := make([]pipe.Stage, len(w.Stages))
		for i, s := range w.Stages {
			bound, err := s.Spec.Decode(s.Args, s.At, ev)
			if err != nil {
				return nil, err
			}
			stages[i] = pipe.Stage{Kind: s.Spec.Name, Task: bound, On: s.On}
		}
		return pipe.New(stages)
	}
	return nil, fmt.Errorf("task kind %s has nothing to run", t.Kind)
}
