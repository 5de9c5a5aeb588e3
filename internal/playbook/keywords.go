package playbook

import (
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Keywords are what plays, blocks and tasks may say alike. The innermost
// wins. A value may hold templates; nil means that nobody said anything.
type Keywords struct {
	Become, BecomeUser, BecomeMethod, BecomeExe, BecomeFlags *strictyaml.Node
	Connection, RemoteUser, Port                             *strictyaml.Node
	NoLog, RunOnce, IgnoreErrors, IgnoreUnreachable          *strictyaml.Node
	CheckMode, Diff, AnyErrorsFatal                          *strictyaml.Node
	Throttle, Timeout                                        *strictyaml.Node
	Environment                                              []*strictyaml.Node // these accumulate, outermost first
}

// keyword is one of the Keywords: its name, what its value must be, and where
// it is kept.
type keyword struct {
	name string
	want want
	at   func(*Keywords) **strictyaml.Node
}

func keywords() []keyword {
	return []keyword{
		{"become", aBool, func(k *Keywords) **strictyaml.Node { return &k.Become }},
		{"become_user", aText, func(k *Keywords) **strictyaml.Node { return &k.BecomeUser }},
		{"become_method", aText, func(k *Keywords) **strictyaml.Node { return &k.BecomeMethod }},
		{"become_exe", aText, func(k *Keywords) **strictyaml.Node { return &k.BecomeExe }},
		{"become_flags", aText, func(k *Keywords) **strictyaml.Node { return &k.BecomeFlags }},
		{"connection", aText, func(k *Keywords) **strictyaml.Node { return &k.Connection }},
		{"remote_user", aText, func(k *Keywords) **strictyaml.Node { return &k.RemoteUser }},
		{"port", anInt, func(k *Keywords) **strictyaml.Node { return &k.Port }},
		{"no_log", aBool, func(k *Keywords) **strictyaml.Node { return &k.NoLog }},
		{"run_once", aBool, func(k *Keywords) **strictyaml.Node { return &k.RunOnce }},
		{"ignore_errors", aBool, func(k *Keywords) **strictyaml.Node { return &k.IgnoreErrors }},
		{"ignore_unreachable", aBool, func(k *Keywords) **strictyaml.Node { return &k.IgnoreUnreachable }},
		{"check_mode", aBool, func(k *Keywords) **strictyaml.Node { return &k.CheckMode }},
		{"diff", aBool, func(k *Keywords) **strictyaml.Node { return &k.Diff }},
		{"any_errors_fatal", aBool, func(k *Keywords) **strictyaml.Node { return &k.AnyErrorsFatal }},
		{"throttle", anInt, func(k *Keywords) **strictyaml.Node { return &k.Throttle }},
		{"timeout", aNumber, func(k *Keywords) **strictyaml.Node { return &k.Timeout }},
	}
}

// Within returns k with what it does not say taken from outer.
func (k Keywords) Within(outer Keywords) Keywords {
	for _, w := range keywords() {
		if at := w.at(&k); *at == nil {
			*at = *w.at(&outer)
		}
	}
	k.Environment = append(append([]*strictyaml.Node(nil), outer.Environment...), k.Environment...)
	return k
}

// Nodes returns every value that is set.
func (k Keywords) Nodes() []*strictyaml.Node {
	out := k.Environment[:len(k.Environment):len(k.Environment)]
	for _, w := range keywords() {
		if n := *w.at(&k); n != nil {
			out = append(out, n)
		}
	}
	return out
}

// Common is what plays, blocks and tasks share.
type Common struct {
	Name     string
	NamePos  diag.Pos // of the text of the name
	Pos      diag.Pos
	Keywords Keywords
	When     []Expr
	Vars     *strictyaml.Node // a mapping, or nil
	Tags     []string
}

// Expr is a bare expression of a playbook.
type Expr struct {
	Text string
	Pos  diag.Pos
}

// commonFields reads what plays, blocks and tasks share into c; when, which
// plays have not, is a field of its own.
func (l *loader) commonFields(c *Common) []strictyaml.Field {
	fields := []strictyaml.Field{
		{Name: "name", Read: func(n *strictyaml.Node, errs *diag.List) {
			c.NamePos = n.Pos
			l.text("name", &c.Name)(n, errs)
		}},
		{Name: "vars", Read: l.mapping("vars", &c.Vars)},
		{Name: "tags", Read: func(n *strictyaml.Node, _ *diag.List) { c.Tags = l.tags(n) }},
		{Name: "environment", Read: func(n *strictyaml.Node, errs *diag.List) { l.environment(n, &c.Keywords) }},
		{Name: "module_defaults", Refused: "write the arguments at each task, or give them through variables"},
		{Name: "debugger", Refused: "remove it; to try tasks one by one, run with --step or --start-at-task"},
		{Name: "collections", Refused: "remove it; task kinds are named bare or as ansible.builtin.NAME"},
		{Name: "sudo", Refused: "write become: true"},
		{Name: "sudo_user", Refused: "write become: true and become_user: NAME"},
		{Name: "su", Refused: "write become: true and become_method: su"},
		{Name: "su_user", Refused: "write become: true, become_method: su and become_user: NAME"},
		{Name: "always_run", Refused: "write check_mode: false"},
	}
	for _, w := range keywords() {
		fields = append(fields, strictyaml.Field{Name: w.name, Read: l.node(w.name, w.want, w.at(&c.Keywords))})
	}
	return fields
}

func (l *loader) whenField(c *Common) strictyaml.Field {
	return strictyaml.Field{Name: "when", Read: func(n *strictyaml.Node, _ *diag.List) { c.When = l.exprs("when", n) }}
}

// environment takes a mapping, a list of mappings, or a template.
func (l *loader) environment(n *strictyaml.Node, k *Keywords) {
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	for _, item := range items {
		switch {
		case item.Kind == strictyaml.Null:
		case item.Kind == strictyaml.Map || templated(item):
			k.Environment = append(k.Environment, item)
		default:
			l.errs.Addf(item.Pos, "environment must be a mapping, this is %s", item.Kind).WithHint("environment: { NAME: value }")
		}
	}
}

// tags reads a list or a text with commas.
func (l *loader) tags(n *strictyaml.Node) []string {
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	var tags []string
	for _, item := range items {
		switch item.Kind {
		case strictyaml.Null:
			continue
		case strictyaml.Seq, strictyaml.Map:
			l.errs.Addf(item.Pos, "a tag must be a word, this is %s", item.Kind)
			continue
		}
		text, ok := l.expand("a tag", item)
		if !ok {
			continue
		}
		for tag := range strings.SplitSeq(text, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// expand returns the text of a node that must be known now.
func (l *loader) expand(what string, n *strictyaml.Node) (string, bool) {
	if !templated(n) {
		return n.Text, true
	}
	if l.o.Expand == nil {
		l.errs.Addf(n.Pos, "%s must be known when the playbook is read, and holds a template", what)
		return "", false
	}
	text, err := l.o.Expand(n.Text)
	if err != nil {
		l.errs.Addf(n.Pos, "%s must be known when the playbook is read: %v", what, err).WithHint("only extra vars (-e) are known then")
		return "", false
	}
	return text, true
}
