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
	// Window is what maintenance_window says; nil without it.
	Window *strictyaml.Node
	// Role is the role whose steps these are; nil for other blocks.
	Role *Role
}

// steps reads a list of tasks and blocks.
func (l *loader) steps(key string, n *strictyaml.Node) []Step {
	switch n.Kind {
	case strictyaml.Null:
		return nil
	case strictyaml.Seq:
	case strictyaml.Map:
		l.errs.Addf(n.Pos, "%s must be a list of tasks, this is a mapping", key).WithHint(`begin each task with "- "`)
		return nil
	default:
		l.errs.Addf(n.Pos, "%s must be a list of tasks, this is %s", key, n.Kind)
		return nil
	}
	var out []Step
	for _, item := range n.Items {
		out = append(out, l.step(item)...)
	}
	return out
}

// step reads a task, a block or an import. The result is empty, and it has
// complained, if there is none.
func (l *loader) step(n *strictyaml.Node) []Step {
	if n.Kind != strictyaml.Map {
		e := l.errs.Addf(n.Pos, "a task must be a mapping, this is %s", n.Kind)
		if n.Kind == strictyaml.String {
			e.WithHint("write the task kind with a colon: %s:", firstWord(n.Text))
		}
		return nil
	}
	for _, key := range []string{"block", "rescue", "always"} {
		if n.Get(key) != nil {
			return []Step{l.block(n)}
		}
	}
	if steps, ok := l.importing(n); ok {
		return steps
	}
	if l.tooManyTasks(n.Pos) {
		return nil
	}
	return []Step{l.task(n, false)}
}

func (l *loader) block(n *strictyaml.Node) *Block {
	b := &Block{}
	b.Pos = n.Pos
	section := func(name string, required bool, dst *[]Step) strictyaml.Field {
		return strictyaml.Field{Name: name, Required: required, Read: func(n *strictyaml.Node, _ *diag.List) { *dst = l.steps(name, n) }}
	}
	fields := append(l.commonFields(&b.Common), l.whenField(&b.Common),
		section("block", true, &b.Body), section("rescue", false, &b.Rescue), section("always", false, &b.Always))
	fields = append(fields, l.delegateFields(&b.Notify, &b.DelegateTo, &b.DelegateFacts)...)
	fields = append(fields, strictyaml.Field{Name: "maintenance_window", Read: func(n *strictyaml.Node, _ *diag.List) { b.Window = n }})
	for _, name := range []string{"loop", "with_items", "register", "until", "retries", "delay", "changed_when", "failed_when", "loop_control", "args"} {
		fields = append(fields, strictyaml.Field{Name: name, Refused: "a block has no " + name + ": put it on the tasks of the block"})
	}
	l.keys(n, "a block", fields...)
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
		case item.Get("import_tasks") != nil || item.Get("ansible.builtin.import_tasks") != nil:
			out = append(out, l.importedHandlers(item)...)
		default:
			out = append(out, l.task(item, true))
		}
	}
	return out
}

// importedHandlers reads a file of handlers.
func (l *loader) importedHandlers(n *strictyaml.Node) []*Task {
	var name string
	var file *strictyaml.Node
	read := func(n *strictyaml.Node, _ *diag.List) { file = n }
	l.keys(n, "an import of handlers",
		strictyaml.Field{Name: "name", Read: l.text("name", &name)},
		strictyaml.Field{Name: "import_tasks", Aliases: []string{"ansible.builtin.import_tasks"}, Read: read})
	path, text, ok := l.imported("import_tasks", file, l.beside()...)
	if !ok {
		return nil
	}
	root := l.parse(path, text)
	if root == nil || l.tooManyFiles(root.Pos) {
		return nil
	}
	defer l.enter(path, l.dir)()
	return l.handlers(root)
}
