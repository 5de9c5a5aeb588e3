package playbook

import (
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// freeOptions are the parameters that may stand as key=value in the free text
// of a task kind; anything else there is text (_raw_params in Ansible's
// parsing/splitter.py).
func freeOptions() []string {
	return []string{"creates", "removes", "chdir", "executable", "stdin", "stdin_add_newline", "strip_empty_ends"}
}

// arguments reads the value of the kind, and args:.
func (r *taskReader) arguments(value *strictyaml.Node) bool {
	t := r.t
	switch t.Kind {
	case "pipe":
		if r.args != nil {
			r.errs.Addf(r.args.Pos, "a pipe has no args: each stage has its own")
		}
		t.Stages = r.stages(value)
		return true
	case "meta":
		return r.meta(value)
	case "include_tasks", "include_role":
		return r.include(value)
	case "import_playbook":
		r.errs.Addf(t.KindPos, "import_playbook stands among the plays, not among tasks").WithHint("use import_tasks")
		return false
	}
	kind, _ := r.o.Kinds.Lookup(t.Kind)
	args, ok := r.argsOf(t.Written, kind, value)
	if !ok {
		return false
	}
	if r.args != nil {
		args, ok = r.mergeArgs(args, r.args)
	}
	t.Args = args
	return ok
}

// argsOf reads arguments in any of their forms: a mapping, text, or nothing.
// The result is a mapping, or nil for none.
func (l *loader) argsOf(written string, kind Kind, value *strictyaml.Node) (*strictyaml.Node, bool) {
	switch value.Kind {
	case strictyaml.Null:
		return nil, true
	case strictyaml.Map:
		return value, true
	case strictyaml.Seq:
		l.errs.Addf(value.Pos, "the arguments of %s must be a mapping, this is a list", written).WithHint(`remove the "- " before them`)
		return nil, false
	}
	if kind.FreeForm != "" {
		return l.freeForm(written, kind, value)
	}
	return l.keyValues(written, kind, value)
}

// freeForm reads `ls -l chdir=/x`.
func (l *loader) freeForm(written string, kind Kind, n *strictyaml.Node) (*strictyaml.Node, bool) {
	words, ok := l.words(n)
	if !ok {
		return nil, false
	}
	args := &strictyaml.Node{Kind: strictyaml.Map, Pos: n.Pos}
	var text strings.Builder
	last := 0
	for _, w := range words {
		key, value, isPair := strings.Cut(w.text, "=")
		if !isPair || !slices.Contains(freeOptions(), key) || !slices.Contains(kind.Params, key) {
			continue
		}
		text.WriteString(n.Text[last:w.start])
		last = w.start + len(w.text)
		l.addPair(args, n, w.start, key, value)
	}
	text.WriteString(n.Text[last:])
	free := strings.TrimSpace(text.String())
	if free != "" {
		value := &strictyaml.Node{Kind: strictyaml.String, Pos: n.Pos, Text: free, Value: free, Tag: n.Tag}
		args.Pairs = append([]strictyaml.Pair{{Key: &strictyaml.Node{Kind: strictyaml.String, Pos: n.Pos, Text: kind.FreeForm, Value: kind.FreeForm}, Value: value}}, args.Pairs...)
	}
	return args, true
}

// keyValues reads `src=a dest="b c"`.
func (l *loader) keyValues(written string, kind Kind, n *strictyaml.Node) (*strictyaml.Node, bool) {
	words, ok := l.words(n)
	if !ok {
		return nil, false
	}
	args := &strictyaml.Node{Kind: strictyaml.Map, Pos: n.Pos}
	for _, w := range words {
		key, value, isPair := strings.Cut(w.text, "=")
		if !isPair || !IsName(key) {
			e := l.errs.Addf(l.sources.At(n, w.start), "%s takes no text, only arguments", written)
			switch {
			case strings.HasPrefix(n.Text, "{{"):
				e.WithHint("write the arguments one by one: each of them may be a template")
			case len(kind.Params) > 0:
				e.WithHint("write %s: { %s: … }", written, kind.Params[0])
			}
			return nil, false
		}
		l.addPair(args, n, w.start, key, value)
	}
	return args, true
}

func (l *loader) addPair(args, n *strictyaml.Node, at int, key, value string) {
	pos, valuePos := l.sources.At(n, at), l.sources.At(n, at+len(key)+1)
	if args.Get(key) != nil {
		l.errs.Addf(pos, "%q is given twice", key)
		return
	}
	value = unquote(value)
	args.Pairs = append(args.Pairs, strictyaml.Pair{
		Key:   &strictyaml.Node{Kind: strictyaml.String, Pos: pos, Text: key, Value: key},
		Value: &strictyaml.Node{Kind: strictyaml.String, Pos: valuePos, Text: value, Value: value},
	})
}

// mergeArgs adds what args: says; what stands beside the kind wins.
func (r *taskReader) mergeArgs(args, more *strictyaml.Node) (*strictyaml.Node, bool) {
	switch more.Kind {
	case strictyaml.Null:
		return args, true
	case strictyaml.Map:
	default:
		e := r.errs.Addf(more.Pos, "args must be a mapping, this is %s", describe(more))
		if templated(more) {
			e.WithHint("write the arguments one by one: each of them may be a template")
		}
		return args, false
	}
	merged := &strictyaml.Node{Kind: strictyaml.Map, Pos: more.Pos}
	if args != nil {
		merged.Pos = args.Pos
		merged.Pairs = slices.Clone(args.Pairs)
	}
	for _, p := range more.Pairs {
		if args.Get(p.Key.Text) != nil {
			r.errs.Addf(p.Key.Pos, "%q is given twice", p.Key.Text).WithHint("it stands beside %s already", r.t.Written)
			continue
		}
		merged.Pairs = append(merged.Pairs, p)
	}
	return merged, true
}

// oldAction reads action: and local_action:, as text `copy src=a dest=b` or
// as a mapping with the key module.
func (r *taskReader) oldAction(key, value *strictyaml.Node) bool {
	t := r.t
	if key.Text == "local_action" || bareName(key.Text) == "local_action" {
		t.DelegateTo = &strictyaml.Node{Kind: strictyaml.String, Pos: key.Pos, Text: "localhost", Value: "localhost"}
	}
	name, rest := value, value
	switch value.Kind {
	case strictyaml.Map:
		name = value.Get("module")
		if name == nil {
			r.errs.Addf(value.Pos, "%s needs the key \"module\"", key.Text).WithHint("%s: { module: command, cmd: ls }", key.Text)
			return false
		}
		without := *value
		without.Pairs = slices.DeleteFunc(slices.Clone(value.Pairs), func(p strictyaml.Pair) bool { return p.Key.Text == "module" })
		rest = &without
		t.Written = name.Text
	case strictyaml.String:
		t.Written = firstWord(value.Text)
		at := strings.Index(value.Text, t.Written) + len(t.Written)
		text := strings.TrimSpace(value.Text[at:])
		start := len(value.Text) - len(strings.TrimLeft(value.Text[at:], " \t\n"))
		rest = &strictyaml.Node{Kind: strictyaml.String, Pos: r.sources.At(value, min(start, len(value.Text))), Text: text, Value: text}
		if text == "" {
			rest = &strictyaml.Node{Pos: value.Pos}
		}
	default:
		r.errs.Addf(value.Pos, "%s must name a task kind, this is %s", key.Text, value.Kind).WithHint("%s: command ls", key.Text)
		return false
	}
	t.Kind, t.KindPos = bareName(t.Written), name.Pos
	if !r.isKind(t.Kind) || isOwn(t.Kind) {
		r.unknownKey(&strictyaml.Node{Kind: strictyaml.String, Pos: name.Pos, Text: t.Written}, nil, true, nil)
		return false
	}
	return r.arguments(rest)
}

// metaActions are the orders to the executor.
func metaActions() []string {
	return []string{"flush_handlers", "end_play", "end_host", "end_batch", "noop", "clear_host_errors", "clear_facts", "reset_connection"}
}

func (r *taskReader) meta(n *strictyaml.Node) bool {
	if n.Kind != strictyaml.String {
		r.errs.Addf(n.Pos, "meta takes one word, this is %s", n.Kind).WithHint("one of: %s", strings.Join(metaActions(), ", "))
		return false
	}
	action := strings.TrimSpace(n.Text)
	switch {
	case slices.Contains(metaActions(), action):
		r.t.Args = n
		return true
	case action == "refresh_inventory":
		r.errs.Addf(n.Pos, "meta: %s is not supported", action).WithHint("the inventory is read once, before anything is run")
	case action == "end_role":
		r.errs.Addf(n.Pos, "meta: %s is not supported", action).WithHint("put the tasks that follow into a block with when:")
	default:
		e := r.errs.Addf(n.Pos, "meta has no action %q", action)
		if near := diag.Suggest(action, metaActions()); near != "" {
			e.WithHint("did you mean %q?", near)
		} else {
			e.WithHint("one of: %s", strings.Join(metaActions(), ", "))
		}
	}
	return false
}
