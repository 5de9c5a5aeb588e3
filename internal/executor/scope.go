package executor

import (
	"context"
	"fmt"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

// scope is the variables that a task sees on a host at one moment.
type scope struct {
	host  string
	stack vars.Stack
}

var _ template.Scope = (*scope)(nil)

// Lookup implements template.Scope.
func (s *scope) Lookup(name string) (value any, literal, ok bool) { return s.stack.Lookup(name) }

// Names implements template.Scope.
func (s *scope) Names() []string { return s.stack.Names() }

// with returns the scope with a result in it, as register would set it.
func (s *scope) with(name string, result map[string]any) *scope {
	if name == "" {
		return s.plus(vars.Registered, result) // until: and changed_when: may use its keys
	}
	return s.plus(vars.Registered, map[string]any{name: result})
}

// plus returns the scope with more values, which are never expanded.
func (s *scope) plus(level vars.Level, values map[string]any) *scope {
	return &scope{s.host, s.stack.With(vars.Layer{Level: level, Source: "runtime", Values: values, Literal: true})}
}

func (s *scope) expandText(ctx context.Context, e Engine, text string) (string, error) {
	v, err := e.Expand(ctx, text, s)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}

// scope returns what t sees on the walk's host.
func (w *walk) scope(t *plan.Task) *scope {
	s := w.hostScope(w.host)
	s.stack = s.stack.With(t.Vars...).With(w.included...)
	if w.failure != nil {
		s = s.plus(vars.Magic, map[string]any{
			"ansible_failed_task":   map[string]any{"name": w.failure.task},
			"ansible_failed_result": w.failure.result,
		})
	}
	return s
}

// hostScope returns what any task of the play sees on h.
func (p *play) hostScope(h *host) *scope {
	s := p.run.hostScope(h)
	s.stack = s.stack.With(p.values...).With(vars.Layer{Level: vars.Magic, Source: "magic", Values: p.magic(h), Literal: true})
	return s
}

// hostScope returns what is known of h outside of any play: hostvars.
func (r *run) hostScope(h *host) *scope {
	facts, registered := h.learned()
	layers := []vars.Layer{facts, registered, r.o.Extra, {Level: vars.Magic, Source: "magic", Values: r.hostMagic(h), Literal: true}}
	return &scope{h.Name, h.Vars.With(layers...)}
}

// evaluator gives the arguments of a task their values.
type evaluator struct {
	ctx    context.Context // of the one task that it is made for
	engine Engine
	scope  *scope
}

// Expand implements tasks.Evaluator.
func (e *evaluator) Expand(n *strictyaml.Node) (any, error) {
	v, err := n.Native(tagged)
	if err != nil {
		return nil, err
	}
	return e.engine.Expand(e.ctx, v, e.scope)
}

// Eval implements tasks.Evaluator.
func (e *evaluator) Eval(expr string) (any, error) { return e.engine.Eval(e.ctx, expr, e.scope) }

// tagged gives a value under a tag its meaning.
func tagged(n *strictyaml.Node) (any, error) {
	if n.Tag == "!unsafe" && n.Kind == strictyaml.String {
		return vars.Unsafe(n.Text), nil
	}
	return nil, fmt.Errorf("%s: the tag %s is not supported here", n.Pos, n.Tag)
}
