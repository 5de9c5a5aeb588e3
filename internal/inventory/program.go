package inventory

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// program runs a dynamic inventory: PROGRAM --list prints groups as JSON, and
// the variables of hosts under _meta; without that each host is asked for
// with --host.
func (inv *Inventory) program(ctx context.Context, path string) error {
	doc, err := ask(ctx, path, "--list")
	if err != nil {
		return err
	}
	var errs diag.List
	if doc.Kind != strictyaml.Map {
		return diag.Errorf(doc.Pos, "%s --list must print a mapping of groups, this is %s", path, doc.Kind)
	}
	meta := doc.Get("_meta").Get("hostvars")
	for _, p := range doc.Pairs {
		if p.Key.Text != "_meta" {
			inv.programGroup(p.Key.Text, p.Value, &errs)
		}
	}
	if doc.Get("_meta") == nil {
		for _, h := range inv.hosts {
			own, err := ask(ctx, path, "--host", h.Name)
			if err != nil {
				return err
			}
			errs.AddErr(own.Pos, addVars(&h.own, own))
		}
		return errs.Err()
	}
	if meta != nil {
		for _, p := range meta.Pairs {
			errs.AddErr(p.Value.Pos, addVars(&inv.host(p.Key.Text).own, p.Value))
		}
	}
	return errs.Err()
}

func (inv *Inventory) programGroup(name string, n *strictyaml.Node, errs *diag.List) {
	g := inv.group(name)
	hosts := n
	if n.Kind == strictyaml.Map {
		hosts = n.Get("hosts")
		if v := n.Get("vars"); v != nil {
			errs.AddErr(v.Pos, addVars(&g.own, v))
		}
		if children := n.Get("children"); children != nil {
			for _, c := range children.Items {
				if !g.addChild(inv.group(c.Text)) {
					errs.Addf(c.Pos, "the group %q cannot be a child of %q: it contains it", c.Text, name)
				}
			}
		}
	}
	if hosts == nil {
		return
	}
	for _, h := range hosts.Items {
		g.addHost(inv.host(h.Text))
	}
}

// ask runs the program and reads what it prints.
func ask(ctx context.Context, path string, args ...string) (*strictyaml.Node, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, abs, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	what := path + " " + strings.Join(args, " ")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the inventory program %s: %w: %s", what, err, strings.TrimSpace(errOut.String()))
	}
	docs, err := strictyaml.Parse("output of "+what, out.Bytes())
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return &strictyaml.Node{}, nil
	}
	return docs[0], nil
}
