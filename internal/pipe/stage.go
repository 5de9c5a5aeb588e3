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
// first, no sink last, …) is an error of joined [StageError]s.
func New(stages []Stage) (tasks.Task, error) {
	var errs []error
	for _, m := range Mistakes(stages) {
		errs = append(errs, m)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return join(stages), nil
}

// pipe is stages sorted by what they do.
type pipe struct {
	source Stage
	host   []Filter // run by the helper, right after the source
	local  []Filter // run here, after those
	checks []placedCheck
	sink   Sink
	labels []string // "gzip (host)", of source and filters
}

var (
	_ tasks.Task    = (*pipe)(nil)
	_ tasks.Checker = (*pipe)(nil)
)

// placedCheck is a check that looks at what comes out of the source (after is
// 0) or of the after-th filter.
type placedCheck struct {
	kind  string
	check Check
	after int
}

// join sorts stages which have no mistakes.
func join(stages []Stage) *pipe {
	p := &pipe{source: stages[0], sink: stages[len(stages)-1].Task.(Sink)}
	for i, place := range Placement(stages) {
		label := stages[i].Kind + " (" + string(place) + ")"
		if i == 0 {
			p.labels = append(p.labels, label)
			continue
		}
		if i == len(stages)-1 {
			break
		}
		if check, ok := stages[i].Task.(Check); ok {
			p.checks = append(p.checks, placedCheck{stages[i].Kind, check, len(p.host) + len(p.local)})
			continue
		}
		p.labels = append(p.labels, label)
		if filter := stages[i].Task.(Filter); place == OnHost {
			p.host = append(p.host, filter)
		} else {
			p.local = append(p.local, filter)
		}
	}
	return p
}

// origin names what the source reads.
func (p *pipe) origin() string {
	return p.source.Task.(interface{ Origin() string }).Origin()
}
