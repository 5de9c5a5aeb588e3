package playbook

import (
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Step is a *Task or a *Block.
type Step interface{ step() }

func (*Task) step()  {}
func (*Block) step() {}

// Task is one use of a task kind.
type Task struct {
	Common
	Kind    string // "command", "pipe", "meta"; without ansible.builtin; empty after a mistake
	Written string // the kind as it was written
	KindPos diag.Pos
	Args    *strictyaml.Node // a mapping, or nil; of meta, its action
	Stages  []Stage          // of a pipe
	Include *Include         // of include_tasks and include_role

	Loop          *Loop
	Retry         *Retry
	ChangedWhen   []Expr
	FailedWhen    []Expr
	Register      string
	Notify        []*strictyaml.Node
	Listen        []string
	DelegateTo    *strictyaml.Node
	DelegateFacts *strictyaml.Node
}

// Loop is loop: or one of the with_ forms.
type Loop struct {
	// Lookup is empty for loop:, else the name behind with_: "items",
	// "dict", "fileglob", …
	Lookup   string
	Items    *strictyaml.Node
	Var      string // "item" unless loop_control says otherwise
	IndexVar string
	Label    *strictyaml.Node // nil: the item
	Pause    *strictyaml.Node // seconds between items
	Extended bool             // sets ansible_loop
}

// Retry is until, retries and delay.
type Retry struct {
	Until   []Expr           // empty: until it has not failed
	Retries *strictyaml.Node // nil: 3
	Delay   *strictyaml.Node // seconds; nil: 5
}

// taskReader reads one task.
type taskReader struct {
	*loader
	t       *Task
	args    *strictyaml.Node // of args:
	control *strictyaml.Node // of loop_control:
	until   []Expr
	retries *strictyaml.Node
	delay   *strictyaml.Node
	handler bool
	// astray says that arguments of the kind stand among the keywords: what
	// is missing from the arguments is not worth a word then.
	astray bool
}

// task reads a task. Its Kind is empty if that could not be read.
func (l *loader) task(n *strictyaml.Node, handler bool) *Task {
	r := &taskReader{loader: l, t: &Task{}, handler: handler}
	r.t.Pos = n.Pos
	fields := r.fields()
	actions, rest := r.split(n, fields)
	l.keys(rest, "a task", fields...)
	if !r.action(n, actions) || r.astray {
		r.t.Kind = ""
	}
	r.finish(n)
	return r.t
}

func (r *taskReader) fields() []strictyaml.Field {
	t := r.t
	fields := append(r.commonFields(&t.Common), r.whenField(&t.Common),
		strictyaml.Field{Name: "args", Read: func(n *strictyaml.Node, _ *diag.List) { r.args = n }},
		strictyaml.Field{Name: "register", Read: func(n *strictyaml.Node, _ *diag.List) {
			if r.variable(n) {
				t.Register = n.Text
			}
		}},
		strictyaml.Field{Name: "changed_when", Read: func(n *strictyaml.Node, _ *diag.List) { t.ChangedWhen = r.exprs("changed_when", n) }},
		strictyaml.Field{Name: "failed_when", Read: func(n *strictyaml.Node, _ *diag.List) { t.FailedWhen = r.exprs("failed_when", n) }},
		strictyaml.Field{Name: "until", Read: func(n *strictyaml.Node, _ *diag.List) { r.until = r.exprs("until", n) }},
		strictyaml.Field{Name: "retries", Read: r.node("retries", anInt, &r.retries)},
		strictyaml.Field{Name: "delay", Read: r.node("delay", aNumber, &r.delay)},
		strictyaml.Field{Name: "loop", Read: func(n *strictyaml.Node, _ *diag.List) { r.loop("", n, n.Pos) }},
		strictyaml.Field{Name: "loop_control", Read: func(n *strictyaml.Node, _ *diag.List) { r.control = n }},
		strictyaml.Field{Name: "async", Refused: "give the task a timeout; for work that goes on after the run, use a service of the host"},
		strictyaml.Field{Name: "poll", Refused: "tasks are waited for; remove it"},
		strictyaml.Field{Name: "first_available_file", Refused: "write with_first_found"},
		strictyaml.Field{Name: "include", Refused: "write import_tasks or include_tasks"},
		strictyaml.Field{Name: "maintenance_window", Refused: "it stands on a block, around the tasks that need it"},
		strictyaml.Field{Name: "hosts", Refused: "it belongs to a play; a play stands at the left margin"},
	)
	fields = append(fields, r.delegateFields(&t.Notify, &t.DelegateTo, &t.DelegateFacts)...)
	if r.handler {
		return append(fields, strictyaml.Field{Name: "listen", Read: func(n *strictyaml.Node, _ *diag.List) { t.Listen = r.tags(n) }})
	}
	return append(fields, strictyaml.Field{Name: "listen", Refused: "it belongs to a handler"})
}

// delegateFields are what blocks and tasks share, and plays have not.
func (l *loader) delegateFields(notify *[]*strictyaml.Node, to, facts **strictyaml.Node) []strictyaml.Field {
	return []strictyaml.Field{
		{Name: "notify", Read: func(n *strictyaml.Node, _ *diag.List) { *notify = l.texts("notify", n) }},
		{Name: "delegate_to", Read: l.node("delegate_to", aText, to)},
		{Name: "delegate_facts", Read: l.node("delegate_facts", aBool, facts)},
	}
}

// texts reads a text or a list of texts.
func (l *loader) texts(key string, n *strictyaml.Node) []*strictyaml.Node {
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	var out []*strictyaml.Node
	for _, item := range items {
		if item.Kind != strictyaml.Null && l.fits(key, aText, item) {
			out = append(out, item)
		}
	}
	return out
}

// split takes the pairs that name a task kind out of a task. It complains
// about keys that are neither keywords nor kinds.
func (r *taskReader) split(n *strictyaml.Node, fields []strictyaml.Field) (actions []strictyaml.Pair, rest *strictyaml.Node) {
	left := *n
	left.Pairs = nil
	var unknown []strictyaml.Pair
	for _, p := range n.Pairs {
		name := bareName(p.Key.Text)
		lookup, isWith := strings.CutPrefix(p.Key.Text, "with_")
		switch {
		case slices.ContainsFunc(fields, func(f strictyaml.Field) bool { return f.Name == p.Key.Text }):
			left.Pairs = append(left.Pairs, p)
		case isWith:
			r.with(lookup, p)
		case r.isKind(name) || name == "action" || name == "local_action":
			actions = append(actions, p)
		default:
			unknown = append(unknown, p)
		}
	}
	for _, a := range actions {
		r.uses.add("task kind", bareName(a.Key.Text), true)
	}
	for _, p := range unknown {
		r.unknownKey(p.Key, actions, len(unknown) == 1, fields)
	}
	if refused := n.Get("include") != nil; len(actions) == 0 && (refused || len(unknown) > 0) {
		actions = []strictyaml.Pair{} // complained of already
	}
	return actions, &left
}

func (r *taskReader) isKind(name string) bool {
	if isOwn(name) {
		return true
	}
	_, ok := r.o.Kinds.Lookup(name)
	return ok
}

// unknownKey says what a key was probably meant to be: a keyword, if the task
// has a kind already; else a task kind, unless a keyword is nearer.
func (r *taskReader) unknownKey(key *strictyaml.Node, actions []strictyaml.Pair, only bool, fields []strictyaml.Field) {
	name := bareName(key.Text)
	var keys []string
	for _, f := range fields {
		if f.Refused == "" {
			keys = append(keys, f.Name)
		}
	}
	for _, a := range actions {
		if kind, ok := r.o.Kinds.Lookup(bareName(a.Key.Text)); ok && slices.Contains(kind.Params, key.Text) {
			r.astray = true
			r.errs.Addf(key.Pos, "a task has no key %q", key.Text).WithHint("it belongs to %s: indent it below %s:", a.Key.Text, a.Key.Text)
			return
		}
	}
	if instead, known := ansibleModules()[name]; known {
		r.uses.add("task kind", name, false)
		r.errs.Addf(key.Pos, "the module %q is not supported", name).WithHint("%s", instead)
		return
	}
	if strings.Contains(name, ".") {
		r.uses.add("task kind", name, false)
		r.errs.Addf(key.Pos, "the module %q is not supported: it is of a collection", name).WithHint("see: runner tasks")
		return
	}
	keyword, kind := diag.Suggest(key.Text, keys), r.suggestKind(name)
	switch {
	case len(actions) > 0 && keyword != "":
		r.errs.Addf(key.Pos, "a task has no key %q", key.Text).WithHint("did you mean %q?", keyword)
	case len(actions) > 0 && kind == "":
		r.errs.Addf(key.Pos, "a task has no key %q", key.Text)
	case kind != "" && (keyword == "" || only):
		r.errs.Addf(key.Pos, "there is no task kind %q", key.Text).WithHint("did you mean %q?", kind)
	case keyword != "":
		r.errs.Addf(key.Pos, "a task has no key %q", key.Text).WithHint("did you mean %q?", keyword)
	default:
		r.errs.Addf(key.Pos, "there is no task kind %q", key.Text).WithHint("see: runner tasks")
	}
}

func (r *taskReader) suggestKind(name string) string {
	if own := diag.Suggest(name, ownKinds()); own != "" {
		return own
	}
	return r.o.Kinds.Suggest(name)
}

// action reads the one kind of the task.
func (r *taskReader) action(n *strictyaml.Node, actions []strictyaml.Pair) bool {
	switch {
	case actions == nil:
		e := r.errs.Addf(n.Pos, "a task needs a task kind, such as command: or pipe:")
		if len(n.Pairs) == 0 {
			e.WithHint("remove this empty task")
		} else {
			e.WithHint("see: runner tasks")
		}
		return false
	case len(actions) == 0:
		return false
	case len(actions) > 1:
		r.errs.Addf(actions[1].Key.Pos, "a task has one task kind, this one has %s and %s", actions[0].Key.Text, actions[1].Key.Text).
			WithHint(`begin another task: put "- " before %s`, actions[1].Key.Text)
		return false
	}
	key, value := actions[0].Key, actions[0].Value
	r.t.Written, r.t.Kind, r.t.KindPos = key.Text, bareName(key.Text), key.Pos
	if r.t.Kind == "action" || r.t.Kind == "local_action" {
		return r.oldAction(key, value)
	}
	return r.arguments(value)
}

// finish joins what several keys say together.
func (r *taskReader) finish(n *strictyaml.Node) {
	t := r.t
	if r.until != nil || r.retries != nil {
		t.Retry = &Retry{Until: r.until, Retries: r.retries, Delay: r.delay}
	} else if r.delay != nil {
		r.errs.Addf(r.delay.Pos, "delay is for tasks that are tried again").WithHint("add until: or retries:")
	}
	if r.control != nil {
		r.loopControl(r.control)
	}
	if t.Loop != nil && t.Loop.Var == "" {
		t.Loop.Var = "item"
	}
	if r.handler && t.Name == "" && len(t.Listen) == 0 {
		r.errs.Addf(n.Pos, "a handler needs a name, or it cannot be notified").WithHint("add name: or listen:")
	}
}
