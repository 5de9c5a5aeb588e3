package plan

import (
	"strings"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/tasks"
)

// part is what a task kind can be in a pipe.
type part struct{ source, spool, filter, check, sink bool }

func partOf(spec tasks.Spec) part {
	task := spec.New()
	var p part
	_, host := task.(pipe.HostSource)
	_, p.spool = task.(pipe.SpoolSource)
	p.source = host || p.spool
	_, p.filter = task.(pipe.Filter)
	_, p.check = task.(pipe.Check)
	_, p.sink = task.(pipe.Sink)
	return p
}

// pipe checks that the stages of a pipe fit: a source, then filters and
// checks, then a sink.
func (b *builder) pipe(src *playbook.Task) Pipe {
	var w Pipe
	whole := true
	for _, s := range src.Stages {
		m, ok := b.module(s.Kind, s.Args, s.KindPos)
		whole = whole && ok
		w.Stages = append(w.Stages, Stage{Module: m, On: s.On})
	}
	if !whole || len(w.Stages) == 0 {
		return w
	}
	for i, s := range src.Stages {
		b.fits(s, partOf(w.Stages[i].Spec), i == 0, i == len(src.Stages)-1)
	}
	b.ends(src.Stages, partOf(w.Stages[0].Spec))
	return w
}

// fits complains if a stage stands where it cannot.
func (b *builder) fits(s playbook.Stage, p part, first, last bool) {
	switch {
	case p == part{}:
		b.errs.Addf(s.KindPos, "%s cannot be a stage of a pipe", s.Written).
			WithHint("sources: %s; filters and checks: %s; sinks: %s", b.kindsThat(part.isSource), b.kindsThat(part.isMiddle), b.kindsThat(part.isSink))
	case first && !p.source:
		b.errs.Addf(s.KindPos, "a pipe begins with a source, %s is none", s.Written).WithHint("sources: %s", b.kindsThat(part.isSource))
	case first && last:
		b.errs.Addf(s.KindPos, "this pipe has no end").WithHint("add a sink: %s", b.kindsThat(part.isSink))
	case first:
	case last && !p.sink:
		b.errs.Addf(s.KindPos, "a pipe ends with a sink, %s is none", s.Written).WithHint("add one behind it: %s", b.kindsThat(part.isSink))
	case last:
	case p.isMiddle():
	case p.source:
		b.errs.Addf(s.KindPos, "%s is a source, and must be the first stage", s.Written).WithHint("one pipe makes one file: write another pipe for it")
	case p.sink:
		b.errs.Addf(s.KindPos, "%s is a sink, and must be the last stage", s.Written)
	}
}

func (p part) isSource() bool { return p.source }
func (p part) isMiddle() bool { return p.filter || p.check }
func (p part) isSink() bool   { return p.sink }

// kindsThat lists the kinds which can be a part of a pipe.
func (b *builder) kindsThat(can func(part) bool) string {
	var names []string
	for _, spec := range b.o.Registry.All() {
		if can(partOf(spec)) {
			names = append(names, spec.Name)
		}
	}
	return strings.Join(names, ", ")
}

// ends checks the on: of stages: bytes that have come to the controller do
// not go back to the host.
func (b *builder) ends(stages []playbook.Stage, source part) {
	here := ""
	if source.spool {
		here = stages[0].Written + " gives its bytes to the controller"
	}
	for i, s := range stages {
		switch {
		case i == 0 && s.On == "controller":
			b.errs.Addf(s.KindPos, "%s reads on the host, it cannot run on the controller", s.Written).WithHint("remove on:")
		case i == len(stages)-1 && s.On == "host":
			b.errs.Addf(s.KindPos, "%s writes on the controller, it cannot run on the host", s.Written).WithHint("remove on:")
		case s.On == "host" && here != "" && i > 0:
			b.errs.Addf(s.KindPos, "%s cannot run on the host: %s", s.Written, here).WithHint("remove on:")
		case s.On == "controller":
			here = s.Written + " before it runs on the controller"
		}
	}
}
