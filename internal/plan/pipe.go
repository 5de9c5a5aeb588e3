package plan

import (
	"fmt"
	"io"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/playbook"
)

// pipe resolves the stages of a pipe and checks that they fit together.
func (b *builder) pipe(src *playbook.Task) Pipe {
	var w Pipe
	whole := true
	for _, s := range src.Stages {
		if s.Kind == "" {
			whole = false
			continue
		}
		spec, ok := b.spec(s.Kind, s.KindPos)
		if !ok {
			whole = false
			continue
		}
		w.Stages = append(w.Stages, Stage{Module: b.module(spec.InPipe(), s.Args, s.KindPos), On: s.On})
	}
	if !whole || len(w.Stages) == 0 {
		return w
	}
	for _, m := range pipe.Mistakes(w.fresh()) {
		b.errs.Addf(src.Stages[m.Index].KindPos, "%s", m.Msg).WithHint("%s", m.Hint)
	}
	return w
}

// fresh returns the stages without their arguments.
func (w Pipe) fresh() []pipe.Stage {
	stages := make([]pipe.Stage, len(w.Stages))
	for i, s := range w.Stages {
		stages[i] = pipe.Stage{Kind: s.Spec.Name, Task: s.Spec.New(), On: s.On}
	}
	return stages
}

// Explain writes on which end each stage of each pipe runs.
func Explain(out io.Writer, p *Plan) error {
	w := &listing{w: out}
	for i, play := range p.Plays {
		w.printf("\nplay #%d (%s): %s\n", i+1, play.Pattern, play.Name)
		for _, section := range play.Sections {
			Walk(section, func(t *Task) {
				w.printf("  %s\n", t.Name)
				work, ok := t.Work.(Pipe)
				if !ok {
					return
				}
				stages := work.fresh()
				for i, place := range pipe.Placement(stages) {
					w.printf("    %-12s %s\n", stages[i].Kind, ends[place])
				}
			})
		}
	}
	return w.err
}

var ends = map[pipe.Place]string{pipe.OnHost: "on the host", pipe.OnController: "on the controller"}

// Walk calls visit for every task of steps and of what they include, in the
// order written.
func Walk(steps []Step, visit func(*Task)) {
	for _, s := range steps {
		switch s := s.(type) {
		case *Task:
			visit(s)
			if include, ok := s.Work.(Include); ok {
				Walk(include.Steps, visit)
			}
		case *Block:
			Walk(s.Body, visit)
			Walk(s.Rescue, visit)
			Walk(s.Always, visit)
		}
	}
}

// listing writes until the first error, and keeps it.
type listing struct {
	w   io.Writer
	err error
}

func (l *listing) printf(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format, args...)
	}
}
