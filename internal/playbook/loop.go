package playbook

import (
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// lookups are the with_ forms.
func lookups() []string {
	return []string{
		"items", "list", "dict", "fileglob", "first_found", "flattened", "indexed_items",
		"nested", "cartesian", "sequence", "subelements", "together", "random_choice", "lines", "file", "env",
	}
}

func (r *taskReader) with(lookup string, p strictyaml.Pair) {
	for _, known := range lookups() {
		if lookup == known {
			r.uses.add("keyword", p.Key.Text, true)
			r.loop(lookup, p.Value, p.Key.Pos)
			return
		}
	}
	r.uses.add("keyword", p.Key.Text, false)
	e := r.errs.Addf(p.Key.Pos, "with_%s is not supported", lookup)
	if near := diag.Suggest(lookup, lookups()); near != "" {
		e.WithHint("did you mean with_%s?", near)
	} else {
		e.WithHint("write loop: with a list")
	}
}

func (r *taskReader) loop(lookup string, n *strictyaml.Node, at diag.Pos) {
	if r.t.Loop != nil {
		r.errs.Addf(at, "a task has one loop, this is the second").WithHint("use with_nested, or the filter product, to loop over two lists")
		return
	}
	r.t.Loop = &Loop{Lookup: lookup, Items: n}
	if lookup != "" {
		return
	}
	switch {
	case n.Kind == strictyaml.Seq, templated(n):
	case n.Kind == strictyaml.Map:
		r.errs.Addf(n.Pos, "loop must be a list, this is a mapping").WithHint(`loop: "{{ name | dict2items }}" goes through a mapping`)
	case n.Kind == strictyaml.String:
		r.errs.Addf(n.Pos, "loop must be a list, this is %q", n.Text).WithHint(`for a variable write loop: "{{ %s }}"`, strings.TrimSpace(n.Text))
	default:
		r.errs.Addf(n.Pos, "loop must be a list, this is %s", n.Kind)
	}
}

func (r *taskReader) loopControl(n *strictyaml.Node) {
	loop := r.t.Loop
	if loop == nil {
		r.errs.Addf(n.Pos, "loop_control is for tasks with a loop").WithHint("add loop:")
		loop = &Loop{}
	}
	name := func(dst *string) reader {
		return func(n *strictyaml.Node, _ *diag.List) {
			if r.variable(n) {
				*dst = n.Text
			}
		}
	}
	r.keys(n, "loop_control",
		strictyaml.Field{Name: "loop_var", Read: name(&loop.Var)},
		strictyaml.Field{Name: "index_var", Read: name(&loop.IndexVar)},
		strictyaml.Field{Name: "label", Read: r.node("label", anything, &loop.Label)},
		strictyaml.Field{Name: "pause", Read: r.node("pause", aNumber, &loop.Pause)},
		strictyaml.Field{Name: "extended", Read: r.flag("extended", &loop.Extended)},
		strictyaml.Field{Name: "extended_allitems", Refused: "remove it: ansible_loop.allitems is always there"},
		strictyaml.Field{Name: "break_when", Refused: "use until: with retries:, or put the condition into when:"},
	)
}
