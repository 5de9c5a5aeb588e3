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
	if !l.keys(n, "import_playbook", fields...) || file == nil {
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

// importing reads import_tasks and import_role; ok is false if n is neither.
func (l *loader) importing(n *strictyaml.Node) (steps []Step, ok bool) {
	for _, p := range n.Pairs {
		switch bareName(p.Key.Text) {
		case "import_tasks":
			return l.importTasks(n, p), true
		case "import_role":
			return l.importRole(n, p), true
		}
	}
	return nil, false
}

// importFields reads what an import may say into b, and the import's own
// value through read.
func (l *loader) importFields(n *strictyaml.Node, key *strictyaml.Node, b *Block) (value *strictyaml.Node) {
	b.Pos = n.Pos
	fields := append(l.commonFields(&b.Common), l.whenField(&b.Common),
		strictyaml.Field{Name: key.Text, Read: func(n *strictyaml.Node, _ *diag.List) { value = n }})
	fields = append(fields, l.delegateFields(&b.Notify, &b.DelegateTo, &b.DelegateFacts)...)
	include := strings.Replace(key.Text, "import_", "include_", 1)
	for _, name := range []string{"loop", "with_items", "with_dict", "with_fileglob", "loop_control", "register", "until", "retries"} {
		fields = append(fields, strictyaml.Field{Name: name, Refused: "an import happens once, before anything is run; write " + include})
	}
	l.keys(n, key.Text, fields...)
	return value
}

// importTasks reads the steps of another file, as a block.
func (l *loader) importTasks(n *strictyaml.Node, action strictyaml.Pair) []Step {
	b := &Block{Inline: true}
	file := l.importFields(n, action.Key, b)
	if file.Kind == strictyaml.Map {
		file = l.fileOf(action.Key.Text, file)
	}
	if file == nil {
		return nil
	}
	path, text, ok := l.imported(action.Key.Text, file, l.beside()...)
	if !ok {
		return nil
	}
	b.Body = l.taskFile(path, text)
	return []Step{b}
}

// fileOf reads { file: NAME }.
func (l *loader) fileOf(what string, n *strictyaml.Node, more ...strictyaml.Field) (file *strictyaml.Node) {
	fields := append(more, strictyaml.Field{Name: "file", Required: true, Read: func(n *strictyaml.Node, _ *diag.List) { file = n }})
	l.keys(n, what, fields...)
	return file
}

// beside is where files of tasks are looked for: beside the file that names
// them, then beside the playbook or in the role.
func (l *loader) beside() []string {
	return []string{filepath.Dir(l.open[len(l.open)-1]), l.dir, filepath.Join(l.dir, "tasks")}
}

// importRole reads a role that stands among tasks.
func (l *loader) importRole(n *strictyaml.Node, action strictyaml.Pair) []Step {
	use := newRoleUse(n.Pos)
	value := l.importFields(n, action.Key, use.block)
	if !l.roleArgs(use, action.Key.Text, value) {
		return nil
	}
	use.again = true // each import_role runs
	return l.role(use, map[string]bool{})
}

// roleArgs reads the arguments of import_role and include_role.
func (l *loader) roleArgs(use *roleUse, what string, n *strictyaml.Node, more ...strictyaml.Field) bool {
	var again, public bool
	fields := append(more,
		strictyaml.Field{Name: "name", Aliases: []string{"role"}, Required: true, Read: func(n *strictyaml.Node, _ *diag.List) { use.name = n }},
		strictyaml.Field{Name: "allow_duplicates", Read: l.flag("allow_duplicates", &again)},
		strictyaml.Field{Name: "public", Read: l.flag("public", &public)},
		strictyaml.Field{Name: "rolespec_validate", Refused: "check the variables with assert"})
	for _, part := range []string{"tasks", "vars", "defaults", "handlers"} {
		fields = append(fields, strictyaml.Field{Name: part + "_from", Read: func(n *strictyaml.Node, _ *diag.List) {
			if text, ok := l.expand(part+"_from", n); ok && l.fits(part+"_from", aText, n) {
				use.from[part] = text
			}
		}})
	}
	if n.Kind == strictyaml.String {
		n, _ = l.keyValues(what, Kind{Params: []string{"name"}}, n)
		if n == nil {
			return false
		}
	}
	return l.keys(n, what, fields...) && use.name != nil
}

// taskFile reads a file that is a list of tasks. What stands in it is
// relative to the playbook or role that it belongs to.
func (l *loader) taskFile(path string, text []byte) []Step {
	root := l.parse(path, text)
	if root == nil || l.tooManyFiles(root.Pos) {
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
