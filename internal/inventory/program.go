package inventory

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

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
	before := len(inv.hosts)
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
		for _, h := range inv.hosts[before:] {
			own, err := ask(ctx, path, "--host", h.file)
			if err != nil {
				return err
			}
			errs.AddErr(own.Pos, inv.reader.addVars(&h.own, own))
		}
		return errs.Err()
	}
	if meta != nil {
		for _, p := range meta.Pairs {
			errs.AddErr(p.Value.Pos, inv.reader.addVars(&inv.host(p.Key.Text).own, p.Value))
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
			errs.AddErr(v.Pos, inv.reader.addVars(&g.own, v))
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

// The limits of a program.
const (
	programWait = time.Minute
	programSize = 64 << 20 // bytes
)

// errTooMuch reports a program that prints without an end.
var errTooMuch = fmt.Errorf("it prints more than %d MB", programSize>>20)

// bounded is a buffer that refuses to grow beyond what a program may print.
type bounded struct {
	b    bytes.Buffer // not embedded: its ReadFrom knows no bound
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.b.Len()+len(p) > programSize {
		b.full = true
		return 0, errTooMuch
	}
	return b.b.Write(p)
}

// ask runs the program and reads what it prints.
func ask(ctx context.Context, path string, args ...string) (*strictyaml.Node, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	what := path + " " + strings.Join(args, " ")
	ctx, cancel := context.WithTimeoutCause(ctx, programWait, fmt.Errorf("it did not end within %s", programWait))
	defer cancel()
	cmd := exec.CommandContext(ctx, abs, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with all that it has started
	cmd.WaitDelay = time.Second
	var out, errOut bounded
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		said := errOut.b.String()
		if out.full || errOut.full {
			err, said = errTooMuch, "" // the signal that it was ended by says less
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, diag.Errorf(diag.Pos{File: path}, "the inventory program %s: %v%s", what, err, tail(said))
	}
	docs, err := strictyaml.Parse("output of "+what, out.b.Bytes())
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return &strictyaml.Node{}, nil
	}
	return docs[0], nil
}

// tail returns the end of what a program has said about its failure.
func tail(said string) string {
	said = strings.TrimSpace(said)
	if said == "" {
		return ""
	}
	const enough = 2000
	return ": " + said[max(0, len(said)-enough):]
}
