package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
)

// learnOn keeps what a task has set: on every host of the batch if it runs
// once, and its facts on the host that it was delegated to if delegate_facts
// says so.
func (w *walk) learnOn(ctx context.Context, t *plan.Task, learned, facts map[string]any) {
	w.learnSecretsOf(learned)
	if len(facts) > 0 && t.DelegateTo != nil && t.DelegateFacts != nil {
		ctx := context.WithoutCancel(ctx) // what was done must be known
		s := w.scope(t)
		delegate, err := w.flag(ctx, t.DelegateFacts, s, false)
		to, textErr := w.text(ctx, t.DelegateTo, s)
		if err == nil && textErr == nil && delegate {
			w.delegate(to).learn(facts)
			for name := range facts {
				delete(learned, name)
			}
		}
	}
	w.host.learn(learned)
}

// notify marks the handlers that t notifies, by name or by what they listen
// to.
func (w *walk) notify(ctx context.Context, t *plan.Task) {
	for _, n := range t.Notify {
		topic, err := w.text(context.WithoutCancel(ctx), n, w.scope(t))
		if err != nil {
			w.warn(w.host, "notify: "+err.Error())
			continue
		}
		var found []*plan.Task
		for _, h := range w.Handlers {
			if h.Name == topic || contains(h.Listen, topic) {
				found = append(found, h)
			}
		}
		if len(found) == 0 {
			w.warn(w.host, fmt.Sprintf("there is no handler %q to notify", topic))
		}
		w.host.notify(found)
	}
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

// playVars returns the layers of a play: vars, prompts, vars_files.
func (r *run) playVars(ctx context.Context, p *plan.Play) ([]vars.Layer, error) {
	layers := []vars.Layer{p.Vars}
	if len(p.Prompts) > 0 {
		answers, err := r.ask(p)
		if err != nil {
			return nil, err
		}
		layers = append(layers, answers)
	}
	s := &scope{stack: vars.Stack{}.With(append(layers, r.o.Extra)...)}
	for _, n := range p.VarsFiles {
		layer, err := r.varsFile(ctx, p, n, s)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	for _, l := range layers {
		r.learnSecretsOf(l.Values)
	}
	return layers, nil
}

// ask asks for the variables of vars_prompt that -e does not give.
func (r *run) ask(p *plan.Play) (vars.Layer, error) {
	layer := vars.Layer{Level: vars.Prompt, Source: "vars_prompt", Values: map[string]any{}, Literal: true}
	for _, prompt := range p.Prompts {
		if _, given := r.o.Extra.Values[prompt.Name]; given {
			continue
		}
		answer, err := r.o.Prompt(prompt)
		if err != nil {
			return layer, fmt.Errorf("%s: %w", prompt.Pos, err)
		}
		layer.Values[prompt.Name] = answer
	}
	return layer, nil
}

// varsFile reads one entry of vars_files: a file, or a list of which the first
// that exists counts.
func (r *run) varsFile(ctx context.Context, p *plan.Play, n *strictyaml.Node, s *scope) (vars.Layer, error) {
	candidates := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		candidates = n.Items
	}
	var tried []string
	for _, c := range candidates {
		name, err := s.expandText(ctx, r.o.Engine, c.Text)
		if err != nil {
			return vars.Layer{}, fmt.Errorf("%s: vars_files: %w", c.Pos, err)
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		layer, err := r.o.ReadVars(name)
		if errors.Is(err, os.ErrNotExist) {
			tried = append(tried, name)
			continue
		}
		layer.Level = vars.VarsFiles
		return layer, err
	}
	return vars.Layer{}, fmt.Errorf("%s: vars_files: there is no %s", n.Pos, strings.Join(tried, ", nor "))
}

// finder returns how a task finds files that the playbook names.
func finder(t *plan.Task, playbookDir string) func(kind, name string) (string, error) {
	return func(kind, name string) (string, error) {
		if filepath.IsAbs(name) {
			return name, nil
		}
		var tried []string
		for _, dir := range []string{filepath.Join(t.Dir, kind), t.Dir, filepath.Join(playbookDir, kind), playbookDir} {
			path := filepath.Join(dir, name)
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
			if !contains(tried, path) {
				tried = append(tried, path)
			}
		}
		return "", fmt.Errorf("there is no file %q: looked at %s", name, strings.Join(tried, ", "))
	}
}

// secretNames are parts of the names of variables that hold secrets.
var secretNames = []string{"password", "passwd", "passphrase", "secret", "token", "private_key_content", "api_key", "apikey", "credential", "_pass"}

// learnSecrets makes the values of variables that are secrets by their name
// known, so that they are masked.
func (r *run) learnSecrets() {
	r.learnSecretsOf(r.o.Extra.Values)
	for _, h := range r.plan.Hosts {
		for _, layer := range h.Vars {
			r.learnSecretsOf(layer.Values)
		}
	}
}

func (r *run) learnSecretsOf(values map[string]any) {
	for name, value := range values {
		lower := strings.ToLower(name)
		for _, part := range secretNames {
			if strings.Contains(lower, part) {
				r.addSecrets(value)
				break
			}
		}
	}
}

// addSecrets makes every text within a secret value known. A template is not
// the secret; what it gives comes from a variable that is looked at itself.
func (r *run) addSecrets(v any) {
	switch v := v.(type) {
	case string:
		if !strings.Contains(v, "{{") {
			r.o.Secrets.Add(v)
		}
	case vars.Unsafe:
		r.o.Secrets.Add(string(v))
	case []any:
		for _, item := range v {
			r.addSecrets(item)
		}
	}
}
