package plan

import (
	"slices"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/strictyaml"
)

// notifications complains of names in notify: that no handler of the play
// answers to. A name with a template, on either side, cannot be judged.
func (b *builder) notifications(p *playbook.Play, handlers []*Task) {
	var known []string
	for _, h := range handlers {
		if h.Name != "" {
			known = append(known, h.Name)
		}
		known = append(known, h.Listen...)
	}
	if slices.ContainsFunc(known, func(s string) bool { return hasTemplate(&strictyaml.Node{Kind: strictyaml.String, Text: s}) }) {
		return
	}
	for _, steps := range [][]playbook.Step{p.PreTasks, p.Roles, p.Tasks, p.PostTasks} {
		b.notified(steps, known)
	}
	for _, h := range handlers {
		b.answered(h.Notify, known)
	}
}

func (b *builder) notified(steps []playbook.Step, known []string) {
	for _, s := range steps {
		switch s := s.(type) {
		case *playbook.Task:
			b.answered(s.Notify, known)
			if s.Include != nil {
				b.notified([]playbook.Step{s.Include.Block}, known)
			}
		case *playbook.Block:
			b.answered(s.Notify, known)
			for _, part := range [][]playbook.Step{s.Body, s.Rescue, s.Always} {
				b.notified(part, known)
			}
		}
	}
}

func (b *builder) answered(names []*strictyaml.Node, known []string) {
	for _, n := range names {
		if hasTemplate(n) || slices.Contains(known, n.Text) {
			continue
		}
		e := b.errs.Addf(n.Pos, "no handler answers to %q", n.Text)
		if near := diag.Suggest(n.Text, known); near != "" {
			e.WithHint("did you mean %q?", near)
		} else {
			e.WithHint("add it to handlers: of the play")
		}
	}
}
