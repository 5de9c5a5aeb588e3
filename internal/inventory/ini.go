package inventory

import (
	"regexp"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/shlex"
)

// ini reads an inventory in Ansible's INI form.
func (inv *Inventory) ini(name string, src []byte) error {
	r := iniReader{inv: inv, file: name, group: inv.groups[ungroupedGroup], state: "hosts", declared: map[string]bool{}}
	for name := range inv.groups { // by another source, or always there
		r.declared[name] = true
	}
	for i, line := range strings.Split(string(src), "\n") {
		r.line, r.text = i+1, line
		r.read(strings.TrimSpace(line))
	}
	for _, need := range r.needed {
		if !r.declared[need.name] {
			r.errs.Addf(need.pos, "%s", need.why).WithHint("declare it with [%s]", need.name)
		}
	}
	return r.errs.Err()
}

// iniReader is at one line of a file.
type iniReader struct {
	inv   *Inventory
	file  string
	line  int
	text  string
	group *group
	state string // what the lines of the section are: hosts, children, vars

	declared map[string]bool
	needed   []needed
	errs     diag.List
}

// needed is a group that must be declared somewhere in the file.
type needed struct {
	name, why string
	pos       diag.Pos
}

var (
	sectionLine = regexp.MustCompile(`^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$`)
	childLine   = regexp.MustCompile(`^([^:\]\s]+)\s*(?:#.*)?$`)
)

func (r *iniReader) pos() diag.Pos {
	col := len(r.text) - len(strings.TrimLeft(r.text, " \t")) + 1
	return diag.Pos{File: r.file, Line: r.line, Col: col}
}

func (r *iniReader) read(line string) {
	switch {
	case line == "" || line[0] == '#' || line[0] == ';':
	case line[0] == '[' && sectionLine.MatchString(line):
		r.section(sectionLine.FindStringSubmatch(line))
	case line[0] == '[' && (!strings.Contains(line, "]") || strings.HasSuffix(line, "]") && !strings.Contains(line, "=")):
		r.errs.Addf(r.pos(), "%q is not a section", line).WithHint("write [group], [group:children] or [group:vars]")
	case r.state == "children":
		r.child(line)
	case r.state == "vars":
		r.variable(line)
	default:
		r.host(line)
	}
}

func (r *iniReader) section(m []string) {
	r.group, r.state = r.inv.group(m[1]), m[2]
	switch r.state {
	case "":
		r.state = "hosts"
		r.declared[m[1]] = true
	case "hosts", "children":
		r.declared[m[1]] = true
	case "vars":
		r.needed = append(r.needed, needed{m[1], "variables of the group " + m[1] + ", which nobody declares", r.pos()})
	default:
		e := r.errs.Addf(r.pos(), "a section cannot be :%s", r.state)
		if near := diag.Suggest(r.state, []string{"hosts", "children", "vars"}); near != "" {
			e.WithHint("did you mean [%s:%s]?", m[1], near)
		} else {
			e.WithHint("one of: hosts, children, vars")
		}
		r.state = "hosts"
	}
}

func (r *iniReader) child(line string) {
	m := childLine.FindStringSubmatch(line)
	if m == nil {
		r.errs.Addf(r.pos(), "%q is not the name of a group", line)
		return
	}
	child := r.inv.group(m[1])
	r.needed = append(r.needed, needed{m[1], "the group " + m[1] + " is a child here, but nobody declares it", r.pos()})
	if !r.group.addChild(child) {
		r.errs.Addf(r.pos(), "the group %q cannot be a child of %q: it contains it", child.name, r.group.name)
	}
}

func (r *iniReader) variable(line string) {
	name, value, ok := strings.Cut(line, "=")
	if !ok {
		r.errs.Addf(r.pos(), "%q is not name=value", line)
		return
	}
	r.set(&r.group.own.Source, r.group.own.Values, r.group.own.Pos, strings.TrimSpace(name), strings.TrimSpace(value))
}

func (r *iniReader) host(line string) {
	if line == "---" {
		r.errs.Addf(r.pos(), "this looks like YAML").WithHint("give the file a name that ends with .yml, or mend its first lines")
		return
	}
	words, err := shlex.Split(line, shlex.Options{Comments: true})
	if err != nil {
		r.errs.Addf(r.pos(), "%v", err)
		return
	}
	if len(words) == 0 {
		return
	}
	names, port, err := expandHost(words[0], r.inv.reader.o.MaxRange)
	if err != nil {
		r.errs.Addf(r.pos(), "%v", err)
		return
	}
	for _, word := range words[1:] {
		if !strings.Contains(word, "=") {
			r.errs.Addf(r.pos(), "%q is not name=value", word).WithHint("each host has a line of its own")
			return
		}
	}
	for _, name := range names {
		h := r.inv.hostAt(name, port, r.pos())
		r.group.addHost(h)
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			r.set(&h.own.Source, h.own.Values, h.own.Pos, key, value)
		}
	}
}

func (r *iniReader) set(source *string, values map[string]any, pos map[string]diag.Pos, name, text string) {
	if *source == "" {
		*source = r.file
	}
	v, ok := literal(text)
	if !ok {
		v = text
	}
	values[name], pos[name] = v, r.pos()
}
