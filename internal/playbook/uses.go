package playbook

import (
	"slices"
	"strings"

	"github.com/torrust/runner/internal/strictyaml"
)

// Use says how often a playbook uses a part of the language.
type Use struct {
	What      string // "keyword" or "task kind"
	Name      string
	Count     int
	Supported bool
}

// usage counts uses by what and name.
type usage map[[2]string]*Use

func (u usage) add(what, name string, supported bool) {
	key := [2]string{what, name}
	if u[key] == nil {
		u[key] = &Use{What: what, Name: name, Supported: supported}
	}
	u[key].Count++
}

// sorted returns the uses by what and name.
func (u usage) sorted() []Use {
	var out []Use
	for _, use := range u {
		out = append(out, *use)
	}
	slices.SortFunc(out, func(a, b Use) int {
		if c := strings.Compare(a.What, b.What); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// keys reads a mapping by its fields and counts them.
func (l *loader) keys(n *strictyaml.Node, what string, fields ...strictyaml.Field) bool {
	refused := map[string]bool{}
	for _, f := range fields {
		for _, name := range append(f.Aliases, f.Name) {
			refused[name] = f.Refused != ""
		}
	}
	for _, p := range n.Pairs {
		no, known := refused[p.Key.Text]
		l.uses.add("keyword", p.Key.Text, known && !no)
	}
	return strictyaml.Fields(n, what, &l.errs, fields...)
}
