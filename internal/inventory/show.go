package inventory

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/torrust/runner/internal/vars"
)

// WriteList writes the inventory as `ansible-inventory --list` does: groups,
// and the variables of each host under _meta.
func (inv *Inventory) WriteList(w io.Writer) error {
	hostvars := map[string]any{}
	for _, h := range inv.hosts {
		if values := plain(h.Layers().Flat()); len(values) > 0 {
			hostvars[h.Name] = values
		}
	}
	out := map[string]any{"_meta": map[string]any{"hostvars": hostvars}}
	for _, g := range inv.order {
		body := map[string]any{}
		if len(g.hosts) > 0 && g.name != allGroup {
			body["hosts"] = hostNames(g.hosts)
		}
		if children := groupNames(g.children); len(children) > 0 {
			body["children"] = children
		}
		if len(body) > 0 {
			out[g.name] = body
		}
	}
	return writeJSON(w, out)
}

// WriteHost writes the variables of one host as `ansible-inventory --host`
// does.
func (inv *Inventory) WriteHost(w io.Writer, name string) error {
	h, ok := inv.byName[name]
	if !ok {
		return &PatternError{name, "there is no such host in the inventory", ""}
	}
	return writeJSON(w, plain(h.Layers().Flat()))
}

// WriteGraph writes the tree of groups as `ansible-inventory --graph` does.
func (inv *Inventory) WriteGraph(w io.Writer) error {
	var b strings.Builder
	var write func(g *group, depth int)
	write = func(g *group, depth int) {
		fmt.Fprintf(&b, "%s@%s:\n", branch(depth), g.name)
		for _, name := range groupNames(g.children) {
			write(inv.groups[name], depth+1)
		}
		if g.name == allGroup {
			return
		}
		for _, h := range hostNames(g.hosts) {
			fmt.Fprintf(&b, "%s%s\n", branch(depth+1), h)
		}
	}
	write(inv.groups[allGroup], 0)
	_, err := io.WriteString(w, b.String())
	return err
}

func branch(depth int) string {
	if depth == 0 {
		return ""
	}
	return strings.Repeat("  |", depth) + "--"
}

func hostNames(hosts []*Host) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = h.Name
	}
	return out
}

func groupNames(groups []*group) []string {
	var out []string
	for _, g := range groups {
		out = append(out, g.name)
	}
	return out
}

// plain returns values as JSON can show them.
func plain(values map[string]any) map[string]any {
	for name, v := range values {
		if text, ok := v.(vars.Unsafe); ok {
			values[name] = string(text)
		}
	}
	return values
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "    ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
