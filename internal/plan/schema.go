package plan

import (
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/schema"
	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

// schemas judges variables of the hosts of a play by the schemas that the play
// names, as far as they have values now: those of vars_files, facts and results
// come later.
func (b *builder) schemas(p *Play, src *playbook.Play) {
	for _, v := range src.VarsSchemas {
		s, err := schema.Compile(v.Path, v.Text)
		if err != nil {
			b.errs.AddErr(v.Pos, err)
			continue
		}
		for _, h := range p.Hosts {
			magic := vars.Layer{Level: vars.Magic, Values: map[string]any{"inventory_hostname": h.Name}, Literal: true}
			b.judge(v.Name, s, h.Vars.With(p.Vars, b.o.Extra, magic))
		}
	}
}

// judge judges one variable of one host.
func (b *builder) judge(name string, s *schema.Schema, stack vars.Stack) {
	origins := stack.Explain(name)
	if len(origins) == 0 {
		return
	}
	pos := origins[0].Pos
	if pos.File == "" {
		pos = diag.Pos{File: origins[0].Source}
	}
	value := origins[0].Value
	if b.o.Engine != nil {
		var err error
		if value, err = b.o.Engine.Expand(b.ctx, value, template.Scope(stack)); err != nil {
			b.errs.Addf(pos, "%s: %v", name, err).WithHint("the play has a schema for it, so it must be known before the run")
			return
		}
	}
	mistakes, err := s.Check(value)
	if err != nil {
		b.errs.Addf(pos, "%s: %v", name, err)
	}
	for _, m := range mistakes {
		at := name
		if m.At != "" {
			at += "." + m.At
		}
		e := b.errs.Addf(pos, "%s: %s", at, m.Msg)
		if m.Hint != "" {
			e.WithHint("%s", m.Hint)
		}
	}
}
