package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/vars"
)

// inherited is what a task gets from the play and the blocks around it.
type inherited struct {
	keywords                  Keywords
	when                      []Expr
	tags                      []string
	vars                      []vars.Layer
	notify                    []*strictyaml.Node
	delegateTo, delegateFacts *strictyaml.Node
	dir, role                 string
}

// steps makes the steps that the chosen tags leave.
func (b *builder) steps(src []playbook.Step, in inherited) []Step {
	var out []Step
	for _, s := range src {
		switch s := s.(type) {
		case *playbook.Task:
			if t := b.task(s, in); t != nil && b.choice.runs(t.Tags) {
				out = append(out, t)
			}
		case *playbook.Block:
			out = append(out, b.block(s, in)...)
		}
	}
	return out
}

func (b *builder) block(src *playbook.Block, in inherited) []Step {
	b.keywordTemplates(src.Keywords)
	b.exprs(src.When)
	if src.Role != nil {
		in = b.inRole(src.Role, in)
	}
	in.keywords = src.Keywords.Within(in.keywords)
	in.when = append(slices.Clone(in.when), src.When...)
	in.tags = union(in.tags, src.Tags)
	if src.Vars != nil {
		in.vars = append(slices.Clone(in.vars), b.layer(vars.Block, "vars of a block", src.Vars))
	}
	in.notify = firstOf(src.Notify, in.notify)
	in.delegateTo, in.delegateFacts = firstNode(src.DelegateTo, in.delegateTo), firstNode(src.DelegateFacts, in.delegateFacts)
	if src.Role != nil {
		b.roleHandlers(src.Role, in)
	}
	body := b.steps(src.Body, in)
	if src.Inline {
		return body
	}
	block := &Block{Name: src.Name, Pos: src.Pos, Body: body, Rescue: b.steps(src.Rescue, in), Always: b.steps(src.Always, in)}
	if src.Window != nil {
		block.Window = b.window(src, in)
	}
	if len(block.Body)+len(block.Rescue)+len(block.Always) == 0 {
		return nil
	}
	if len(block.Body) == 0 {
		block.Window = nil // the tags leave nothing to stop anything for
	}
	return []Step{block}
}

// window makes the tasks around the body of a block. They are as the block says,
// but for what would make the body run although the window could not be opened,
// or the window stay open.
func (b *builder) window(src *playbook.Block, in inherited) *Window {
	b.tasks++
	id := fmt.Sprintf("%d.%d", b.number, b.tasks)
	make := func(id, name string, spec tasks.Spec) *Task {
		t := &Task{
			ID: id, Name: name, Pos: src.Window.Pos, Kind: spec.Name, Dir: in.dir, Role: in.role, Tags: in.tags,
			Vars: slices.Clone(in.vars), Keywords: in.keywords, DelegateTo: in.delegateTo,
			Work: b.module(spec, src.Window, src.Window.Pos),
		}
		t.Keywords.IgnoreErrors, t.Keywords.IgnoreUnreachable, t.Keywords.RunOnce = nil, nil, nil
		return t
	}
	opening, closing := b.o.Window(id)
	w := &Window{Open: make(id, "Maintenance window: stop", opening), Close: make(id+"c", "Maintenance window: start again", closing)}
	w.Open.When = slices.Clone(in.when)
	return w
}

// task makes a task. It returns nil, and has complained, if it cannot.
func (b *builder) task(src *playbook.Task, in inherited) *Task {
	b.tasks++
	t := &Task{
		ID: fmt.Sprintf("%d.%d", b.number, b.tasks), Name: src.Name, Pos: src.Pos, Kind: src.Kind, Dir: in.dir, Role: in.role,
		Tags: union(in.tags, src.Tags), When: append(slices.Clone(in.when), src.When...), Vars: slices.Clone(in.vars),
		Keywords: src.Keywords.Within(in.keywords),
		Loop:     src.Loop, Retry: src.Retry, ChangedWhen: src.ChangedWhen, FailedWhen: src.FailedWhen,
		Register: src.Register, Notify: firstOf(src.Notify, in.notify), Listen: src.Listen,
		DelegateTo: firstNode(src.DelegateTo, in.delegateTo), DelegateFacts: firstNode(src.DelegateFacts, in.delegateFacts),
	}
	if t.Name == "" {
		t.Name, t.unnamed = src.Written, true
	}
	if src.Vars != nil {
		t.Vars = append(t.Vars, b.layer(vars.Task, "vars of the task", src.Vars))
	}
	b.taskTemplates(src)
	switch src.Kind {
	case "":
	case "pipe":
		t.Work = b.pipe(src)
	case "meta":
		t.Work = Meta{Action: strings.TrimSpace(src.Args.Text)}
	case "include_tasks", "include_role":
		t.Work = b.include(src, in)
	default:
		spec, ok := b.spec(src.Kind, src.KindPos)
		if !ok {
			return nil
		}
		t.Work = b.module(spec, src.Args, src.KindPos)
	}
	return t
}

// taskTemplates checks what a task says besides its arguments.
func (b *builder) taskTemplates(src *playbook.Task) {
	b.keywordTemplates(src.Keywords)
	b.exprs(src.When)
	b.exprs(src.ChangedWhen)
	b.exprs(src.FailedWhen)
	b.templates(src.DelegateTo)
	b.templates(src.DelegateFacts)
	b.textTemplates(src.Name, src.NamePos)
	for _, n := range src.Notify {
		b.templates(n)
	}
	if r := src.Retry; r != nil {
		b.exprs(r.Until)
		b.templates(r.Retries)
		b.templates(r.Delay)
	}
	if l := src.Loop; l != nil {
		b.templates(l.Items)
		b.templates(l.Label)
		b.templates(l.Pause)
	}
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func firstOf(a, b []*strictyaml.Node) []*strictyaml.Node {
	if a != nil {
		return a
	}
	return b
}

func firstNode(a, b *strictyaml.Node) *strictyaml.Node {
	if a != nil {
		return a
	}
	return b
}
