package playbook

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// importKey returns the import_playbook key of an entry of a playbook, or nil.
func importKey(n *strictyaml.Node) *strictyaml.Node {
	for _, p := range n.Pairs {
		if bareName(p.Key.Text) == "import_playbook" {
			return p.Key
		}
	}
	return nil
}

// importPlaybook reads the plays of another playbook. Its vars, when and tags
// go to each of them.
func (l *loader) importPlaybook(n *strictyaml.Node) []*Play {
	var c Common
	var file *strictyaml.Node
	read := func(n *strictyaml.Node, _ *diag.List) { file = n }
	key := importKey(n)
	fields := append(l.commonFields(&c), l.whenField(&c), strictyaml.Field{Name: key.Text, Read: read})
	if !strictyaml.Fields(n, "import_playbook", &l.errs, fields...) || file == nil {
		return nil
	}
	path, text, ok := l.imported("import_playbook", file, l.dir)
	if !ok {
		return nil
	}
	plays := l.playbook(path, text)
	for _, p := range plays {
		p.When = append(slices.Clone(c.When), p.When...)
		p.Tags = append(slices.Clone(c.Tags), p.Tags...)
		p.Keywords = p.Keywords.Within(c.Keywords)
		if c.Vars != nil {
			p.ImportVars = append([]*strictyaml.Node{c.Vars}, p.ImportVars...)
		}
	}
	return plays
}

// importing reads import_tasks; ok is false if n is another task.
func (l *loader) importing(n *strictyaml.Node) (s Step, ok bool) {
	for _, p := range n.Pairs {
		switch bareName(p.Key.Text) {
		case "import_tasks":
			if b := l.importTasks(n, p); b != nil {
				return b, true
			}
			return nil, true
		case "include_tasks", "include_role", "import_role":
			l.errs.Addf(p.Key.Pos, "%s is not supported", p.Key.Text).WithHint("write import_tasks")
			return nil, true
		}
	}
	return nil, false
}

// importTasks reads the steps of another file, as a block.
func (l *loader) importTasks(n *strictyaml.Node, action strictyaml.Pair) *Block {
	b := &Block{Inline: true}
	b.Pos = n.Pos
	var file *strictyaml.Node
	fields := append(l.commonFields(&b.Common), l.whenField(&b.Common),
		strictyaml.Field{Name: action.Key.Text, Read: func(n *strictyaml.Node, _ *diag.List) { file = n }})
	fields = append(fields, l.delegateFields(&b.Notify, &b.DelegateTo, &b.DelegateFacts)...)
	for _, name := range []string{"loop", "with_items", "register", "until", "retries", "loop_control"} {
		fields = append(fields, strictyaml.Field{Name: name, Refused: "tasks are imported once, before anything is run"})
	}
	strictyaml.Fields(n, "import_tasks", &l.errs, fields...)
	if file.Kind == strictyaml.Map {
		var named *strictyaml.Node
		strictyaml.Fields(file, "import_tasks", &l.errs, strictyaml.Field{Name: "file", Required: true, Read: func(n *strictyaml.Node, _ *diag.List) { named = n }})
		file = named
	}
	if file == nil {
		return nil
	}
	path, text, ok := l.imported("import_tasks", file, filepath.Dir(l.open[len(l.open)-1]), l.dir)
	if !ok {
		return nil
	}
	b.Body = l.taskFile(path, text)
	return b
}

// taskFile reads a file that is a list of tasks. What stands in it is
// relative to the playbook or role that it belongs to.
func (l *loader) taskFile(path string, text []byte) []Step {
	root := l.parse(path, text)
	if root == nil {
		return nil
	}
	defer l.enter(path, l.dir)()
	if root.Kind == strictyaml.Seq && len(root.Items) > 0 && root.Items[0].Get("hosts") != nil {
		l.errs.Addf(root.Pos, "this is a playbook, and was imported as a list of tasks").WithHint("use import_playbook among the plays")
		return nil
	}
	return l.steps("a file of tasks", root)
}

// imported finds and reads the file that n names.
func (l *loader) imported(what string, n *strictyaml.Node, dirs ...string) (path string, text []byte, ok bool) {
	if n.Kind != strictyaml.String || strings.TrimSpace(n.Text) == "" {
		l.errs.Addf(n.Pos, "%s must name a file, this is %s", what, describe(n))
		return "", nil, false
	}
	name, ok := l.expand("the name of a file", n)
	if !ok {
		return "", nil, false
	}
	for _, dir := range dirs {
		path = name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, name)
		}
		text, err := l.o.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			l.errs.Addf(n.Pos, "%s: %v", what, err)
			return "", nil, false
		}
		if at := slices.Index(l.open, path); at >= 0 {
			l.errs.Addf(n.Pos, "%s imports itself: %s", path, strings.Join(append(slices.Clone(l.open[at:]), path), " → "))
			return "", nil, false
		}
		return path, text, true
	}
	l.errs.Addf(n.Pos, "there is no file %s", filepath.Join(dirs[0], name)).WithHint("the name is relative to %s", dirs[0])
	return "", nil, false
}
