package plan_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/strictyaml"
)

// TestPlans compares plans, written as text, with the last file of each
// archive. UPDATE=1 writes it anew.
func TestPlans(t *testing.T) {
	t.Parallel()
	golden(t, "plan", func(t *testing.T, files []string) string {
		p, err := build(t, plan.Options{}, files...)
		require.NoError(t, err)
		d := &dump{}
		for _, play := range p.Plays {
			d.play(play)
		}
		return d.String()
	})
}

// dump writes a plan as text: what is not said is left out.
type dump struct {
	strings.Builder
	indent string
}

func (d *dump) line(format string, args ...any) {
	d.WriteString(strings.TrimRight(d.indent+fmt.Sprintf(format, args...), " ") + "\n")
}

func (d *dump) say(key string, value string) {
	if value != "" {
		d.line("  %s: %s", key, value)
	}
}

func (d *dump) within(what string, write func()) {
	outer := d.indent
	d.line("%s", what)
	d.indent += "  "
	write()
	d.indent = outer
}

func (d *dump) play(p *plan.Play) {
	d.within(fmt.Sprintf("play %s at %s", p.Name, p.Pos), func() {
		var hosts []string
		for _, h := range p.Hosts {
			hosts = append(hosts, h.Name)
		}
		d.line("hosts %s = %s, strategy %s", p.Pattern, strings.Join(hosts, " "), p.Strategy)
		for _, b := range p.Serial {
			d.line("batch of %d or %g%%", b.Count, b.Percent)
		}
		if p.MaxFailPercentage != nil {
			d.line("max_fail_percentage %g", *p.MaxFailPercentage)
		}
		if p.ForceHandlers {
			d.line("force_handlers %t", p.ForceHandlers)
		}
		if len(p.Vars.Values) > 0 {
			d.line("vars %v", p.Vars.Values)
		}
		for _, n := range p.VarsFiles {
			d.line("vars_files %s", text(n))
		}
		for _, q := range p.Prompts {
			d.line("prompt %s %q default %s private %t confirm %t", q.Name, q.Text, text(q.Default), q.Private, q.Confirm)
		}
		for i, name := range []string{"pre_tasks", "tasks", "post_tasks"} {
			if len(p.Sections[i]) > 0 {
				d.within(name, func() { d.steps(p.Sections[i]) })
			}
		}
		for _, h := range p.Handlers {
			d.within("handler", func() { d.task(h) })
		}
	})
}

func (d *dump) steps(steps []plan.Step) {
	for _, s := range steps {
		switch s := s.(type) {
		case *plan.Task:
			d.task(s)
		case *plan.Block:
			d.within("block "+s.Name, func() { d.steps(s.Body) })
			for i, part := range [][]plan.Step{s.Rescue, s.Always} {
				if len(part) > 0 {
					d.within([]string{"rescue", "always"}[i], func() { d.steps(part) })
				}
			}
		}
	}
}

func (d *dump) task(t *plan.Task) {
	d.line("%s %s [%s] in %s", t.ID, t.Title(), t.Kind, t.Dir)
	switch w := t.Work.(type) {
	case plan.Module:
		d.say("args", text(w.Args))
	case plan.Pipe:
		for _, s := range w.Stages {
			d.line("  | %s %s %s", s.Spec.Name, text(s.Args), s.On)
		}
	case plan.Meta:
		d.say("order", w.Action)
	case plan.Include:
		d.within("  includes "+w.What, func() { d.steps(w.Steps) })
	}
	d.say("tags", strings.Join(t.Tags, " "))
	d.say("when", exprs(t.When))
	d.say("changed_when", exprs(t.ChangedWhen))
	d.say("failed_when", exprs(t.FailedWhen))
	for _, layer := range t.Vars {
		d.line("  %s: %v", layer.Level, layer.Values)
	}
	if l := t.Loop; l != nil {
		d.line("  loop %s %s as %s index %s label %s", l.Lookup, text(l.Items), l.Var, l.IndexVar, text(l.Label))
	}
	if r := t.Retry; r != nil {
		d.line("  until %s retries %s delay %s", exprs(r.Until), text(r.Retries), text(r.Delay))
	}
	d.say("register", t.Register)
	d.say("notify", texts(t.Notify))
	d.say("listen", strings.Join(t.Listen, ", "))
	d.say("delegate_to", text(t.DelegateTo))
	d.say("delegate_facts", text(t.DelegateFacts))
	d.keywords(t.Keywords)
}

func (d *dump) keywords(k plan.Keywords) {
	v := reflect.ValueOf(k)
	for i := range v.NumField() {
		if n, ok := v.Field(i).Interface().(*strictyaml.Node); ok {
			d.say(v.Type().Field(i).Name, text(n))
		}
	}
	d.say("Environment", texts(k.Environment))
}

func exprs(list []plan.Expr) string {
	var out []string
	for _, e := range list {
		out = append(out, e.Text)
	}
	return strings.Join(out, " AND ")
}

func texts(list []*strictyaml.Node) string {
	var out []string
	for _, n := range list {
		out = append(out, text(n))
	}
	return strings.Join(out, ", ")
}

// text writes a node on one line.
func text(n *strictyaml.Node) string {
	switch {
	case n == nil:
		return ""
	case n.Kind == strictyaml.Seq:
		return "[" + texts(n.Items) + "]"
	case n.Kind == strictyaml.Map:
		var out []string
		for _, p := range n.Pairs {
			out = append(out, p.Key.Text+": "+text(p.Value))
		}
		return "{" + strings.Join(slices.Clip(out), ", ") + "}"
	}
	return n.Text
}
