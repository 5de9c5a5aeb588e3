package playbook

import (
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Block is steps with what to do if they fail, and what to do in any case.
// Imported files and roles are blocks, too.
type Block struct {
	Common
	Notify                    []*strictyaml.Node
	DelegateTo, DelegateFacts *strictyaml.Node
	Body, Rescue, Always      []Step
	// Inline says that the block only joins steps, such as those of an
	// imported file: it has neither Rescue nor Always.
	Inline bool
}

// steps reads a list of tasks and blocks.
func (l *loader) steps(key string, n *strictyaml.Node) []Step {
	switch n.Kind {
	case strictyaml.Null:
		return nil
	case strictyaml.Seq:
	case strictyaml.Map:
		l.errs.Addf(n.Pos, "%q must be a list of tasks, this is a mapping", key).WithHint(`begin each task with "- "`)
		return nil
	default:
		l.errs.Addf(n.Pos, "%q must be a list of tasks, this is %s", key, n.Kind)
		return nil
	}
	var out []Step
	for _, item := range n.Items {
		if s := l.step(item); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// step reads a task or a block. It returns nil, and has complained, if it is
// neither.
func (l *loader) step(n *strictyaml.Node) Step {
	if n.Kind != strictyaml.Map {
		e := l.errs.Addf(n.Pos, "a task must be a mapping, this is %s", n.Kind)
		if n.Kind == strictyaml.String {
			e.WithHint("write the task kind with a colon: %s:", firstWord(n.Text))
		}
		return nil
	}
	for _, key := range []string{"block", "rescue", "always"} {
		if n.Get(key) != nil {
			return l.block(n)
		}
	}
	if s, ok := l.importing(n); ok {
		return s
	}
	if t := l.task(n, false); t != nil {
		return t
	}
	return nil
}

func (l *loader) block(n *strictyaml.Node) Step {
	b := &Block{}
	b.Pos = n.Pos
	section := func(name string, required bool, dst *[]Step) strictyaml.Field {
		return strictyaml.Field{Name: name, Required: required, Read: func(n *strictyaml.Node, _ *diag.List) { *dst = l.steps(name, n) }}
	}
	fields := append(l.commonFields(&b.Common), l.whenField(&b.Common),
		section("block", true, &b.Body), section("rescue", false, &b.Rescue), section("always", false, &b.Always))
	fields = append(fields, l.delegateFields(&b.Notify, &b.DelegateTo, &b.DelegateFacts)...)
	for _, name := range []string{"loop", "with_items", "register", "until", "retries", "delay", "changed_when", "failed_when", "loop_control", "args"} {
		fields = append(fields, strictyaml.Field{Name: name, Refused: "a block has no " + name + ": put it on the tasks of the block"})
	}
	strictyaml.Fields(n, "a block", &l.errs, fields...)
	return b
}

// handlers reads a list of handlers: tasks, or imports of them.
func (l *loader) handlers(n *strictyaml.Node) []*Task {
	if n.Kind == strictyaml.Null {
		return nil
	}
	if n.Kind != strictyaml.Seq {
		l.errs.Addf(n.Pos, "handlers must be a list of tasks, this is %s", n.Kind).WithHint(`begin each handler with "- "`)
		return nil
	}
	var out []*Task
	for _, item := range n.Items {
		switch {
		case item.Kind != strictyaml.Map:
			l.errs.Addf(item.Pos, "a handler must be a mapping, this is %s", item.Kind)
		case item.Get("block") != nil:
			l.errs.Addf(item.Pos, "a block cannot be a handler").WithHint("make each of its tasks a handler that listens to one name")
		default:
			if t := l.task(item, true); t != nil {
				out = append(out, t)
			}
		}
	}
	return out
}
