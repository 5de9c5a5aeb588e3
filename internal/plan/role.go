package plan

import (
	"slices"

	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
)

// exported returns the variables that the roles among steps give to the whole
// play: their defaults and vars. Included roles keep theirs to themselves.
func (b *builder) exported(steps []playbook.Step) []vars.Layer {
	var out []vars.Layer
	for _, s := range steps {
		block, ok := s.(*playbook.Block)
		if !ok {
			continue
		}
		if block.Role != nil {
			out = append(out, b.roleFiles(block.Role)...)
		}
		for _, part := range [][]playbook.Step{block.Body, block.Rescue, block.Always} {
			out = append(out, b.exported(part)...)
		}
	}
	return out
}

// roleFiles returns the layers of defaults/main.yml and vars/main.yml.
func (b *builder) roleFiles(r *playbook.Role) []vars.Layer {
	var out []vars.Layer
	if r.Defaults != nil {
		out = append(out, b.layer(vars.RoleDefaults, "defaults of role "+r.Name, r.Defaults))
	}
	if r.Vars != nil {
		out = append(out, b.layer(vars.RoleVars, "vars of role "+r.Name, r.Vars))
	}
	return out
}

// inRole returns what the tasks of a role get besides what is around it: the
// variables of the roles it needs, its own, and those it was given.
func (b *builder) inRole(r *playbook.Role, in inherited) inherited {
	in.dir, in.role = r.Path, r.Name
	in.vars = slices.Clone(in.vars)
	var needs func(r *playbook.Role)
	needs = func(r *playbook.Role) {
		for _, need := range r.Needs {
			needs(need)
			in.vars = append(in.vars, b.roleFiles(need)...)
		}
	}
	needs(r)
	in.vars = append(in.vars, b.roleFiles(r)...)
	for _, given := range []struct {
		level vars.Level
		node  *strictyaml.Node
	}{{vars.RoleVars, r.Given}, {vars.RoleParams, r.Params}} {
		if given.node != nil {
			in.vars = append(in.vars, b.layer(given.level, "given to role "+r.Name, given.node))
		}
	}
	in.vars = append(in.vars, vars.Layer{Level: vars.Magic, Source: "role", Literal: true, Values: map[string]any{
		"role_name": r.Name, "role_path": r.Path, "ansible_role_name": r.Name,
	}})
	return in
}

// roleHandlers adds the handlers of a role to those of the play. They answer
// to "ROLE : NAME", too. A role that is used twice adds them once.
func (b *builder) roleHandlers(r *playbook.Role, in inherited) {
	if b.withHandlers[r.Path] {
		return
	}
	b.withHandlers[r.Path] = true
	for _, h := range r.Handlers {
		t := b.task(h, in)
		if t == nil {
			continue
		}
		if h.Name != "" {
			t.Listen = append(slices.Clone(t.Listen), r.Name+" : "+h.Name)
		}
		b.handlers = append(b.handlers, t)
	}
}

// include makes the work of include_tasks and include_role.
func (b *builder) include(src *playbook.Task, in inherited) Include {
	in.vars = slices.Clone(in.vars)
	if src.Vars != nil {
		in.vars = append(in.vars, b.layer(vars.Block, "vars of an include", src.Vars))
	}
	return Include{What: src.Include.What, Steps: b.block(src.Include.Block, in)}
}
