package inventory

import (
	"fmt"
	"io"
	"strings"

	"github.com/torrust/runner/internal/vars"
)

// List returns the inventory as `ansible-inventory --list` prints it: groups,
// and the variables of each host under _meta.
func (inv *Inventory) List() map[string]any {
	return inv.listing(func(h *Host) vars.Stack { return h.Layers() }, func(*group, map[string]any) {})
}

// Export returns the same with each variable where it is set: at its group or
// at its host.
func (inv *Inventory) Export() map[string]any {
	return inv.listing(func(h *Host) vars.Stack { return vars.Stack{}.With(append([]vars.Layer{h.own}, h.hostVars...)...) },
		func(g *group, body map[string]any) {
			values := plain(vars.Stack{}.With(append([]vars.Layer{g.own}, g.files...)...).Flat())
			if g.priority != 1 {
				values["ansible_group_priority"] = g.priority
			}
			if len(values) > 0 {
				body["vars"] = values
			}
		})
}

func (inv *Inventory) listing(of func(*Host) vars.Stack, more func(g *group, body map[string]any)) map[string]any {
	hostvars := map[string]any{}
	for _, h := range inv.hosts {
		if values := plain(of(h).Flat()); len(values) > 0 {
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
		more(g, body)
		if len(body) > 0 {
			out[g.name] = body
		}
	}
	return out
}

// HostVars returns the variables of one host, as `ansible-inventory --host`
// prints them.
func (inv *Inventory) HostVars(name string) (map[string]any, error) {
	h, ok := inv.byName[name]
	if !ok {
		return nil, &PatternError{name, "there is no such host in the inventory", ""}
	}
	return plain(h.Layers().Flat()), nil
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
