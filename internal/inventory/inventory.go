// Package inventory owns hosts and groups: reading them from files, folders
// and programs as Ansible does, their variables, and which hosts a pattern
// selects.
//
// It never knows connections, and it never expands a value: it may be the
// text of a template.
package inventory

import (
	"cmp"
	"maps"
	"slices"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/vars"
)

// Inventory is hosts and groups. It is immutable once loaded, and safe for
// concurrent use.
type Inventory struct {
	hosts  []*Host // in the order of appearance
	byName map[string]*Host
	groups map[string]*group
	order  []*group // in the order of appearance, "all" and "ungrouped" first

	sources []string
	prefix  string // of the names of hosts of the source that is read
	warn    func(string)
	reader  reader
}

// Host is one host.
type Host struct {
	Name string

	file     string // what host_vars calls it
	inv      *Inventory
	groups   []*group // those that name it
	own      vars.Layer
	hostVars []vars.Layer // files beside the inventory, then beside the playbook
}

// group is hosts and other groups.
type group struct {
	name     string
	hosts    []*Host
	children []*group
	parents  []*group
	own      vars.Layer
	files    []vars.Layer // group_vars
	depth    int
	priority int64
}

const (
	allGroup       = "all"
	ungroupedGroup = "ungrouped"
)

func newInventory(o Options) *Inventory {
	inv := &Inventory{reader: reader{o}, byName: map[string]*Host{}, groups: map[string]*group{}, warn: o.Warn}
	inv.group(allGroup).addChild(inv.group(ungroupedGroup))
	return inv
}

// group returns a group by name, a new one if need be.
func (inv *Inventory) group(name string) *group {
	g, ok := inv.groups[name]
	if !ok {
		level := vars.InventoryGroup
		if name == allGroup {
			level = vars.InventoryAll
		}
		g = &group{name: name, priority: 1, own: newLayer(level)}
		inv.groups[name] = g
		inv.order = append(inv.order, g)
	}
	return g
}

// host returns a host by name, a new one if need be.
func (inv *Inventory) host(name string) *Host {
	full := inv.hostName(name)
	h, ok := inv.byName[full]
	if !ok {
		h = &Host{Name: full, file: name, inv: inv, own: newLayer(vars.InventoryHost)}
		inv.byName[full] = h
		inv.hosts = append(inv.hosts, h)
		if inv.prefix != "" {
			inv.group(inv.prefix).addHost(h)
		}
	}
	return h
}

// hostAt is host for a name with a port, 0 if there is none. As in Ansible, the
// port counts only where the host is named first.
func (inv *Inventory) hostAt(name string, port int64, pos diag.Pos) *Host {
	before := len(inv.hosts)
	h := inv.host(name)
	if port != 0 && len(inv.hosts) > before {
		h.own.Values["ansible_port"], h.own.Pos["ansible_port"] = port, pos
	}
	return h
}

func newLayer(level vars.Level) vars.Layer {
	return vars.Layer{Level: level, Values: map[string]any{}, Pos: map[string]diag.Pos{}}
}

func (g *group) addHost(h *Host) {
	if !slices.Contains(g.hosts, h) {
		g.hosts = append(g.hosts, h)
		h.groups = append(h.groups, g)
	}
}

// addChild makes child a part of g; it is false if that would make g a part of
// itself.
func (g *group) addChild(child *group) bool {
	if g == child || child.contains(g) {
		return false
	}
	if !slices.Contains(g.children, child) {
		g.children = append(g.children, child)
		child.parents = append(child.parents, g)
	}
	return true
}

func (g *group) contains(other *group) bool {
	return slices.ContainsFunc(g.children, func(c *group) bool { return c == other || c.contains(other) })
}

// members returns the hosts of g and of its children, each once: its own first,
// then those of its children, then of theirs. Ansible goes by levels, too, but
// takes the groups of the third level and below in an order that changes from
// run to run.
func (g *group) members() []*Host {
	var out []*Host
	seenHosts, seenGroups := map[*Host]bool{}, map[*group]bool{g: true}
	for level := []*group{g}; len(level) > 0; {
		var next []*group
		for _, g := range level {
			for _, h := range g.hosts {
				if !seenHosts[h] {
					seenHosts[h] = true
					out = append(out, h)
				}
			}
			for _, c := range g.children {
				if !seenGroups[c] {
					seenGroups[c] = true
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return out
}

// settle completes what the sources have said: every group is part of all,
// every host that no group names is ungrouped.
func (inv *Inventory) settle() {
	all, ungrouped := inv.groups[allGroup], inv.groups[ungroupedGroup]
	for _, g := range inv.order {
		if g != all && len(g.parents) == 0 {
			all.addChild(g)
		}
	}
	for _, h := range inv.hosts {
		named := slices.ContainsFunc(h.groups, func(g *group) bool { return g != all && g != ungrouped })
		if named {
			ungrouped.hosts = slices.DeleteFunc(ungrouped.hosts, func(o *Host) bool { return o == h })
			h.groups = slices.DeleteFunc(h.groups, func(g *group) bool { return g == ungrouped })
		} else {
			ungrouped.addHost(h)
		}
	}
	seen := map[*group]bool{}
	var deepen func(g *group, depth int)
	deepen = func(g *group, depth int) {
		if seen[g] && depth <= g.depth {
			return
		}
		seen[g], g.depth = true, depth
		for _, c := range g.children {
			deepen(c, depth+1)
		}
	}
	deepen(all, 0)
	for _, g := range inv.order {
		if p, ok := g.own.Values["ansible_group_priority"]; ok {
			if n, ok := p.(int64); ok {
				g.priority = n
			}
			delete(g.own.Values, "ansible_group_priority")
		}
	}
}

// Hosts returns every host in the order of appearance.
func (inv *Inventory) Hosts() []*Host { return slices.Clone(inv.hosts) }

// Host returns the host of that name.
func (inv *Inventory) Host(name string) (*Host, bool) {
	h, ok := inv.byName[name]
	return h, ok
}

// Groups returns the members of every group by its name: the magic variable
// groups.
func (inv *Inventory) Groups() map[string][]string {
	out := map[string][]string{}
	for name, g := range inv.groups {
		members := g.members()
		list := make([]string, len(members))
		for i, h := range members {
			list[i] = h.Name
		}
		out[name] = list
	}
	return out
}

// Groups returns the names of the groups that h is in, sorted, without all.
func (h *Host) Groups() []string {
	var names []string
	for _, g := range h.ancestry() {
		if g.name != allGroup {
			names = append(names, g.name)
		}
	}
	slices.Sort(names)
	return names
}

// ancestry returns the groups that h is in, directly or not, in the order in
// which their variables are merged: by depth, priority and name.
func (h *Host) ancestry() []*group {
	seen := map[*group]bool{}
	var visit func(*group)
	visit = func(g *group) {
		if seen[g] {
			return
		}
		seen[g] = true
		for _, p := range g.parents {
			visit(p)
		}
	}
	if h.inv != nil {
		visit(h.inv.groups[allGroup])
	}
	for _, g := range h.groups {
		visit(g)
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(a.priority, b.priority), cmp.Compare(a.name, b.name))
	})
}

// Layers returns the variables of h from all that the inventory knows, the
// weakest first.
func (h *Host) Layers() vars.Stack {
	var layers []vars.Layer
	for _, g := range h.ancestry() {
		layers = append(layers, g.own)
		layers = append(layers, g.files...)
	}
	layers = append(layers, h.own)
	layers = append(layers, h.hostVars...)
	layers = slices.DeleteFunc(layers, func(l vars.Layer) bool { return len(l.Values) == 0 })
	return vars.Stack{}.With(layers...)
}
