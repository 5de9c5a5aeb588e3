package playbook

import (
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Stage is one element of a pipe.
type Stage struct {
	Kind    string // empty after a mistake
	Written string
	KindPos diag.Pos
	Args    *strictyaml.Node // a mapping, or nil
	On      string           // "host", "controller", or empty
}

// stages reads the list of a pipe. A stage is a mapping with one task kind,
// `- gzip: { level: 6 }`, and perhaps on:; a stage without arguments may be a
// bare word, `- gzip`.
func (l *loader) stages(n *strictyaml.Node) []Stage {
	const hint = "pipe: [{ sqlite_copy: { src: … } }, { gzip: }, { fetch: { dest: … } }]"
	if n.Kind != strictyaml.Seq {
		l.errs.Addf(n.Pos, "a pipe must be a list of stages, this is %s", n.Kind).WithHint("%s", hint)
		return nil
	}
	if len(n.Items) == 0 {
		l.errs.Addf(n.Pos, "this pipe has no stages").WithHint("%s", hint)
	}
	var out []Stage
	for _, item := range n.Items {
		switch item.Kind {
		case strictyaml.String:
			item = &strictyaml.Node{Kind: strictyaml.Map, Pos: item.Pos, Pairs: []strictyaml.Pair{{Key: item, Value: &strictyaml.Node{Pos: item.Pos}}}}
		case strictyaml.Map:
		default:
			l.errs.Addf(item.Pos, "a stage must be a task kind with its arguments, this is %s", item.Kind).WithHint("- gzip: { level: 6 }")
			out = append(out, Stage{})
			continue
		}
		s, ok := l.stage(item)
		if !ok {
			s.Kind = ""
		}
		out = append(out, s)
	}
	return out
}

func (l *loader) stage(n *strictyaml.Node) (s Stage, ok bool) {
	var found bool
	ok = true
	for _, p := range n.Pairs {
		kind, known := l.o.Kinds.Lookup(bareName(p.Key.Text))
		switch {
		case p.Key.Text == "on" || p.Key.Kind == strictyaml.Bool && p.Key.Value == true:
			// Plain `on` is the boolean true in YAML 1.1.
			s.On = l.on(p.Value)
		case known && found:
			l.errs.Addf(p.Key.Pos, "a stage has one task kind, this one has %s and %s", s.Written, p.Key.Text).
				WithHint(`begin another stage: put "- " before %s`, p.Key.Text)
			ok = false
		case known:
			found = true
			l.uses.add("task kind", bareName(p.Key.Text), true)
			s.Kind, s.Written, s.KindPos = bareName(p.Key.Text), p.Key.Text, p.Key.Pos
			var read bool
			s.Args, read = l.argsOf(s.Written, kind, p.Value)
			ok = ok && read
		default:
			l.notInStage(p.Key, s)
			ok = false
		}
	}
	if !found && ok {
		l.errs.Addf(n.Pos, "a stage needs a task kind").WithHint("- gzip: { level: 6 }")
	}
	return s, ok && found
}

func (l *loader) on(n *strictyaml.Node) string {
	if n.Text == "host" || n.Text == "controller" {
		return n.Text
	}
	e := l.errs.Addf(n.Pos, `"on" must be host or controller, this is %s`, describe(n))
	if near := diag.Suggest(n.Text, []string{"host", "controller"}); near != "" {
		e.WithHint("did you mean %q?", near)
	}
	return ""
}

// notInStage complains of a key that no stage has.
func (l *loader) notInStage(key *strictyaml.Node, s Stage) {
	name := bareName(key.Text)
	kind, _ := l.o.Kinds.Lookup(s.Kind)
	switch {
	case slices.Contains([]string{"when", "register", "loop", "tags", "become", "become_user", "name", "vars", "environment", "no_log", "ignore_errors", "notify", "failed_when", "changed_when"}, key.Text):
		l.errs.Addf(key.Pos, "a stage has no key %q", key.Text).WithHint("it belongs to the task: indent it as pipe: is")
	case slices.Contains(kind.Params, key.Text):
		l.errs.Addf(key.Pos, "a stage has no key %q", key.Text).WithHint("it belongs to %s: write %s: { %s: … }", s.Written, s.Written, key.Text)
	case isOwn(name):
		l.errs.Addf(key.Pos, "%s cannot be a stage of a pipe", key.Text)
	case s.Kind != "":
		e := l.errs.Addf(key.Pos, "a stage has no key %q", key.Text)
		if near := diag.Suggest(key.Text, []string{"on"}); near != "" && len(key.Text) < 4 {
			e.WithHint("did you mean %q?", near)
		}
	default:
		e := l.errs.Addf(key.Pos, "there is no task kind %q", key.Text)
		if near := l.o.Kinds.Suggest(name); near != "" {
			e.WithHint("did you mean %q?", near)
		} else if strings.HasPrefix(name, "{{") {
			e.WithHint("the kind of a stage cannot be a template")
		} else {
			e.WithHint("see: runner tasks")
		}
	}
}
