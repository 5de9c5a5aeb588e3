package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

// Options are what a plan is made from.
type Options struct {
	Playbooks []*playbook.Playbook
	Registry  *tasks.Registry
	// Window declares the two tasks around a block with maintenance_window,
	// whose name within the plan it is given.
	Window func(id string) (opening, closing tasks.Spec)
	// Engine expands what must be known before a run: the patterns of
	// plays, serial and their like. They see extra vars and play vars.
	Engine *template.Engine

	Hosts  map[string]*Host
	Groups map[string][]string
	// Select returns the hosts that patterns and the limit leave, in the
	// order of the inventory. A pattern that matches nothing is no error.
	Select func(patterns []string) ([]*Host, error)

	Extra vars.Layer // -e
	// Convert gives values under a tag such as !vault their value; nil
	// refuses every tag but !unsafe.
	Convert func(*strictyaml.Node) (any, error)

	Tags     []string // --tags; empty: all
	SkipTags []string // --skip-tags
	StartAt  string   // --start-at-task: a name or a glob; empty: the first
}

// Load reads the playbooks at paths with the task kinds and the extra vars of
// o, for its Playbooks. The error is a file that cannot be read.
func (o Options) Load(ctx context.Context, paths ...string) ([]*playbook.Playbook, error) {
	var out []*playbook.Playbook
	for _, path := range paths {
		po := playbook.Options{Kinds: Kinds(o.Registry)}
		if o.Engine != nil {
			po.Expand = func(text string) (string, error) {
				v, err := o.Engine.Expand(ctx, text, vars.Stack{o.Extra})
				return fmt.Sprint(v), err
			}
		}
		pb, err := playbook.Load(path, po)
		if err != nil {
			return nil, err
		}
		out = append(out, pb)
	}
	return out, nil
}

// Build makes a plan. Its error is a diag.List with every mistake of every
// playbook, unless the mistake is in the options.
func Build(ctx context.Context, o Options) (*Plan, error) {
	b := &builder{ctx: ctx, o: o, choice: newChoice(o.Tags, o.SkipTags)}
	p := &Plan{Hosts: o.Hosts, Groups: o.Groups}
	for _, pb := range o.Playbooks {
		p.Playbooks = append(p.Playbooks, pb.Files...)
		b.sources = pb.Sources
		b.errs = append(b.errs, pb.Mistakes...)
		for i, src := range pb.Plays {
			b.number, b.tasks, b.handlers, b.withHandlers = b.number+1, 0, nil, map[string]bool{}
			play := b.play(src)
			play.Playbook, play.first = pb.Path, i == 0
			p.Plays = append(p.Plays, play)
		}
	}
	if err := once(b.errs).Err(); err != nil {
		return nil, err
	}
	if o.StartAt != "" {
		if !startAt(p.Plays, o.StartAt) {
			return nil, fmt.Errorf("no task matches --start-at-task %q", o.StartAt)
		}
	}
	return p, nil
}

// builder makes the plays of a plan and collects mistakes.
type builder struct {
	ctx     context.Context // of the one call of Build that owns the builder
	o       Options
	choice  choice
	sources playbook.Sources
	errs    diag.List
	number  int // of the play
	tasks   int // of the play so far
	checked map[*strictyaml.Node]bool
	// handlers are those of the roles of the play; withHandlers are the
	// folders of the roles whose handlers are in it.
	handlers     []*Task
	withHandlers map[string]bool
}

// once leaves out what is said again, since a file is used twice.
func once(l diag.List) diag.List {
	seen := map[string]bool{}
	var out diag.List
	for _, e := range l {
		if s := e.Error(); !seen[s] {
			seen[s] = true
			out = append(out, e)
		}
	}
	return out
}

// layer makes variables of a mapping; n may be nil.
func (b *builder) layer(level vars.Level, source string, n *strictyaml.Node) vars.Layer {
	l := vars.Layer{Level: level, Source: source}
	if n == nil {
		return l
	}
	l.Values, l.Pos = map[string]any{}, map[string]diag.Pos{}
	for _, p := range n.Pairs {
		v, err := p.Value.Native(b.convert)
		if err != nil {
			b.errs.AddErr(p.Value.Pos, err)
			continue
		}
		b.templates(p.Value)
		l.Values[p.Key.Text], l.Pos[p.Key.Text] = v, p.Key.Pos
	}
	return l
}

func (b *builder) convert(n *strictyaml.Node) (any, error) {
	switch {
	case n.Tag == "!unsafe" && n.Kind == strictyaml.String:
		return vars.Unsafe(n.Text), nil
	case n.Tag == "!unsafe":
		plain := *n
		plain.Tag = ""
		return plain.Native(b.convert)
	case b.o.Convert != nil:
		return b.o.Convert(n)
	}
	return nil, diag.Errorf(n.Pos, "the tag %s is not supported", n.Tag)
}

// value expands a node that must be known before the run.
func (b *builder) value(n *strictyaml.Node, scope template.Scope) (any, bool) {
	v, err := n.Native(b.convert)
	if err == nil && hasTemplate(n) {
		if b.o.Engine == nil {
			err = errors.New("a template has no place here")
		} else {
			v, err = b.o.Engine.Expand(b.ctx, v, scope)
		}
	}
	if err != nil {
		if len(diag.All(err)) > 0 {
			b.errs.AddErr(n.Pos, err)
		} else {
			b.errs.Addf(n.Pos, "%v", err).WithHint("this must be known before the run: only extra vars (-e) and vars of the play are")
		}
		return nil, false
	}
	return v, true
}
