package inventory

import (
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
)

// yaml reads an inventory in YAML or JSON.
func (inv *Inventory) yaml(name string, src []byte) error {
	docs, err := strictyaml.Parse(name, src)
	if err != nil {
		return err
	}
	if len(docs) == 0 || docs[0].Kind == strictyaml.Null {
		return diag.List{diag.Errorf(diag.Pos{File: name}, "the inventory is empty").WithHint("begin with:\nall:\n  hosts:\n    name:")}
	}
	r := yamlReader{inv: inv}
	root := docs[0]
	if root.Kind != strictyaml.Map {
		r.errs.Addf(root.Pos, "an inventory must be a mapping of groups, this is %s", root.Kind)
		return r.errs.Err()
	}
	for _, p := range root.Pairs {
		if p.Key.Text == "plugin" {
			r.errs.Addf(p.Key.Pos, "inventory plugins are not supported").WithHint("run ansible-inventory --list > inventory.json once, or use a program that prints the hosts")
			continue
		}
		r.group(p.Key, p.Value)
	}
	return r.errs.Err()
}

type yamlReader struct {
	inv  *Inventory
	errs diag.List
}

func (r *yamlReader) group(key, body *strictyaml.Node) *group {
	g := r.inv.group(key.Text)
	if body.Kind == strictyaml.Null {
		return g
	}
	if body.Kind != strictyaml.Map {
		r.errs.Addf(body.Pos, "the group %q must be a mapping with hosts, vars, children; this is %s", key.Text, body.Kind)
		return g
	}
	strictyaml.Fields(body, "a group", &r.errs,
		strictyaml.Field{Name: "hosts", Read: func(n *strictyaml.Node, _ *diag.List) { r.hosts(g, n) }},
		strictyaml.Field{Name: "vars", Read: func(n *strictyaml.Node, _ *diag.List) { r.vars(&g.own, n) }},
		strictyaml.Field{Name: "children", Read: func(n *strictyaml.Node, _ *diag.List) { r.children(g, n) }},
	)
	return g
}

// mapping returns the pairs of n; a bare text is a key without a value.
func (r *yamlReader) mapping(n *strictyaml.Node, what, example string) []strictyaml.Pair {
	switch n.Kind {
	case strictyaml.Null:
		return nil
	case strictyaml.Map:
		return n.Pairs
	case strictyaml.String:
		return []strictyaml.Pair{{Key: n, Value: &strictyaml.Node{Pos: n.Pos}}}
	}
	r.errs.Addf(n.Pos, "%s must be a mapping, this is %s", what, n.Kind).WithHint("write each name as a key: %s", example)
	return nil
}

func (r *yamlReader) hosts(g *group, n *strictyaml.Node) {
	for _, p := range r.mapping(n, "hosts", "tracker-1:") {
		if p.Key.Kind != strictyaml.String {
			r.errs.Addf(p.Key.Pos, "a host's name must be a string, this is %s", p.Key.Kind).WithHint("put it in quotes: %q", p.Key.Text)
			continue
		}
		names, port, err := expandHost(p.Key.Text, r.inv.reader.o.MaxRange)
		if err != nil {
			r.errs.Addf(p.Key.Pos, "%v", err)
			continue
		}
		for _, name := range names {
			h := r.inv.hostAt(name, port, p.Key.Pos)
			g.addHost(h)
			r.vars(&h.own, p.Value)
		}
	}
}

func (r *yamlReader) children(g *group, n *strictyaml.Node) {
	for _, p := range r.mapping(n, "children", "webservers:") {
		child := r.group(p.Key, p.Value)
		if !g.addChild(child) {
			r.errs.Addf(p.Key.Pos, "the group %q cannot be a child of %q: it contains it", child.name, g.name)
		}
	}
}

func (r *yamlReader) vars(to *vars.Layer, n *strictyaml.Node) {
	r.errs.AddErr(n.Pos, r.inv.reader.addVars(to, n))
}
