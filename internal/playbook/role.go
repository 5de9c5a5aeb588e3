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

// Role is a role that a play uses, in one of its uses.
type Role struct {
	Name     string
	Path     string // its folder
	Defaults *strictyaml.Node
	Vars     *strictyaml.Node // of vars/main.yml
	Given    *strictyaml.Node // vars: where the role is named
	Params   *strictyaml.Node // other keys where the role is named
	Handlers []*Task
	// Needs are the roles that its meta/main.yml depends on, with theirs.
	Needs []*Role
}

// roleUse is how a role is named: an entry of roles: or of dependencies:, or
// an import_role.
type roleUse struct {
	name  *strictyaml.Node
	block *Block
	role  *Role
	from  map[string]string // tasks_from and its like; "main" without
	again bool              // allow_duplicates
}

// roles reads the roles of a play. A role that is used twice in the same way
// runs once, as in Ansible.
func (l *loader) roles(n *strictyaml.Node) []Step {
	switch n.Kind {
	case strictyaml.Null:
		return nil
	case strictyaml.Seq:
	default:
		l.errs.Addf(n.Pos, "roles must be a list, this is %s", n.Kind).WithHint("roles: [NAME]")
		return nil
	}
	seen := map[string]bool{}
	var out []Step
	for _, item := range n.Items {
		if use := l.roleUse(item); use != nil {
			out = append(out, l.role(use, seen)...)
		}
	}
	return out
}

// roleUse reads an entry of roles: or dependencies:.
func (l *loader) roleUse(n *strictyaml.Node) *roleUse {
	use := newRoleUse(n.Pos)
	if n.Kind == strictyaml.String {
		use.name = n
		return use
	}
	if n.Kind != strictyaml.Map {
		l.errs.Addf(n.Pos, "a role must be a name or a mapping, this is %s", n.Kind).WithHint("- role: NAME")
		return nil
	}
	fields := append(l.commonFields(&use.block.Common), l.whenField(&use.block.Common),
		strictyaml.Field{Name: "role", Read: func(n *strictyaml.Node, _ *diag.List) { use.name = n }})
	fields = append(fields, l.delegateFields(&use.block.Notify, &use.block.DelegateTo, &use.block.DelegateFacts)...)
	known, params := *n, &strictyaml.Node{Kind: strictyaml.Map, Pos: n.Pos}
	known.Pairs = nil
	for _, p := range n.Pairs {
		if slices.ContainsFunc(fields, func(f strictyaml.Field) bool { return f.Name == p.Key.Text }) {
			known.Pairs = append(known.Pairs, p)
		} else if l.variable(p.Key) {
			params.Pairs = append(params.Pairs, p)
		}
	}
	l.keys(&known, "a role", fields...)
	if use.name == nil {
		use.name = n.Get("name")
	}
	if use.name == nil {
		l.errs.Addf(n.Pos, "a role needs its name").WithHint("- role: NAME")
		return nil
	}
	use.role.Given, use.role.Params, use.block.Vars = use.block.Vars, params, nil
	return use
}

func newRoleUse(pos diag.Pos) *roleUse {
	use := &roleUse{block: &Block{Inline: true}, role: &Role{}, from: map[string]string{}}
	use.block.Pos = pos
	return use
}

// role reads the files of a role. The result is the blocks of the roles it
// needs, and its own, all within one block; nil if it has run already.
func (l *loader) role(use *roleUse, seen map[string]bool) []Step {
	name, ok := l.roleName(use.name)
	if !ok {
		return nil
	}
	path, ok := l.findRole(name, use.name)
	if !ok {
		return nil
	}
	use.role.Name, use.role.Path = filepath.Base(name), path
	if at := slices.Index(l.open, path); at >= 0 {
		l.errs.Addf(use.name.Pos, "role %s needs itself: %s", name, strings.Join(append(slices.Clone(l.open[at:]), path), " → "))
		return nil
	}
	defer l.enter(path, path)()
	needs, again := l.roleMeta(use, seen)
	key := path + "\x00" + signature(use)
	if seen[key] && !again && !use.again {
		return nil
	}
	seen[key] = true
	b := use.block
	b.Role = use.role
	use.role.Defaults = l.roleVars(use, "defaults")
	use.role.Vars = l.roleVars(use, "vars")
	if file, text, found := l.roleFile(use, "handlers"); found {
		if root := l.parse(file, text); root != nil {
			use.role.Handlers = l.handlers(root)
		}
	}
	if file, text, found := l.roleFile(use, "tasks"); found {
		b.Body = append(needs, l.taskFile(file, text)...)
	} else {
		b.Body = needs
	}
	return []Step{b}
}

func (l *loader) roleName(n *strictyaml.Node) (string, bool) {
	if n.Kind != strictyaml.String || strings.TrimSpace(n.Text) == "" {
		l.errs.Addf(n.Pos, "the name of a role must be a text, this is %s", describe(n))
		return "", false
	}
	name, ok := l.expand("the name of a role", n)
	if ok && strings.Count(name, ".") == 2 && !strings.Contains(name, "/") {
		l.errs.Addf(n.Pos, "the role %q is of a collection, which is not supported", name).WithHint("copy it to roles/")
		return "", false
	}
	return name, ok
}

// findRole returns the folder of a role: beside the playbook, or beside the
// role that needs it.
func (l *loader) findRole(name string, n *strictyaml.Node) (string, bool) {
	top := filepath.Dir(l.open[0])
	dirs := []string{filepath.Join(top, "roles"), filepath.Join(l.dir, "roles"), filepath.Dir(l.dir), top}
	if filepath.IsAbs(name) {
		dirs = []string{"/"}
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		for _, part := range []string{"tasks", "meta", "handlers", "defaults", "vars"} {
			if _, _, err := l.mainFile(path, part, "main"); err == nil || !errors.Is(err, fs.ErrNotExist) {
				return path, true
			}
		}
	}
	l.errs.Addf(n.Pos, "there is no role %q", name).WithHint("it is looked for in %s: a folder %s with tasks/main.yml", dirs[0], name)
	return "", false
}

// mainFile reads NAME.yml of a part of a role, or NAME.yaml, or NAME.
func (l *loader) mainFile(role, part, name string) (path string, text []byte, err error) {
	for _, ext := range []string{".yml", ".yaml", ""} {
		path = filepath.Join(role, part, name+ext)
		if text, err = l.o.ReadFile(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return path, text, err
		}
	}
	return path, nil, err
}

// roleFile reads a part of a role. It is a mistake if the part was asked for
// by name and is not there.
func (l *loader) roleFile(use *roleUse, part string) (path string, text []byte, ok bool) {
	name, asked := use.from[part]
	if !asked {
		name = "main"
	}
	path, text, err := l.mainFile(use.role.Path, part, strings.TrimSuffix(strings.TrimSuffix(name, ".yml"), ".yaml"))
	switch {
	case err == nil:
		return path, text, true
	case errors.Is(err, fs.ErrNotExist) && asked:
		l.errs.Addf(use.name.Pos, "role %s has no file %s/%s.yml", use.role.Name, part, name)
	case !errors.Is(err, fs.ErrNotExist):
		l.errs.Addf(use.name.Pos, "role %s: %v", use.role.Name, err)
	}
	return "", nil, false
}

// roleVars reads the defaults or vars of a role.
func (l *loader) roleVars(use *roleUse, part string) (vars *strictyaml.Node) {
	path, text, ok := l.roleFile(use, part)
	if !ok {
		return nil
	}
	if root := l.parse(path, text); root != nil {
		l.mapping(part+" of a role", &vars)(root, &l.errs)
	}
	return vars
}

// roleMeta reads meta/main.yml: the roles that this one needs, and whether it
// may run more than once.
func (l *loader) roleMeta(use *roleUse, seen map[string]bool) (needs []Step, again bool) {
	path, text, ok := l.roleFile(use, "meta")
	if !ok {
		return nil, false
	}
	root := l.parse(path, text)
	if root == nil || root.Kind == strictyaml.Null {
		return nil, false
	}
	ignore := func(*strictyaml.Node, *diag.List) {}
	l.keys(root, "meta of a role",
		strictyaml.Field{Name: "dependencies", Read: func(n *strictyaml.Node, _ *diag.List) {
			if n.Kind != strictyaml.Seq && n.Kind != strictyaml.Null {
				l.errs.Addf(n.Pos, "dependencies must be a list, this is %s", n.Kind)
				return
			}
			for _, item := range n.Items {
				if need := l.roleUse(item); need != nil {
					needs = append(needs, l.role(need, seen)...)
					use.role.Needs = append(use.role.Needs, need.role)
				}
			}
		}},
		strictyaml.Field{Name: "allow_duplicates", Read: l.flag("allow_duplicates", &again)},
		strictyaml.Field{Name: "galaxy_info", Read: ignore},
		strictyaml.Field{Name: "argument_specs", Refused: "check the variables with assert"},
		strictyaml.Field{Name: "collections", Refused: "remove it; task kinds are named bare or as ansible.builtin.NAME"},
	)
	return needs, again
}

// signature tells apart uses of a role that may all run.
func signature(use *roleUse) string {
	var b strings.Builder
	var add func(n *strictyaml.Node)
	add = func(n *strictyaml.Node) {
		if n == nil {
			return
		}
		b.WriteString(n.Tag + n.Text + "\x00")
		for _, item := range n.Items {
			add(item)
		}
		for _, p := range n.Pairs {
			add(p.Key)
			add(p.Value)
		}
	}
	add(use.role.Params)
	add(use.role.Given)
	for _, e := range use.block.When {
		b.WriteString(e.Text + "\x00")
	}
	return b.String() + strings.Join(use.block.Tags, ",") + use.from["tasks"]
}
