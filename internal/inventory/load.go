package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
)

// Options say how sources are read.
type Options struct {
	// Warn is called with what the operator should know; nil ignores it.
	Warn func(text string)
	// MaxRange is how many hosts one name with ranges may stand for; 100,000
	// if it is 0.
	MaxRange int
	// Open decrypts an encrypted text; see package vault. Without it one is
	// a mistake.
	Open func(text []byte) ([]byte, error)
	// Secret is called with every text that was encrypted; nil ignores it.
	Secret func(text string)
}

// Load reads every source: a file in YAML, JSON or INI, a folder of such, a
// program that prints an inventory, "host1,host2,", or "ssh_config:" with a
// path or without one. NAME=SOURCE puts NAME- before the names of its hosts,
// and all of them into the group NAME. The files group_vars and host_vars
// beside a source count, too. The error is a diag.List of every
// mistake, unless a source cannot be read at all.
func Load(ctx context.Context, sources []string, o Options) (*Inventory, error) {
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	o.MaxRange = cmp.Or(o.MaxRange, defaultMaxRange)
	inv := newInventory(o)
	var errs diag.List
	for _, source := range sources {
		before := inv.addresses()
		var path string
		inv.prefix, path = cutName(source)
		if err := inv.load(ctx, path); err != nil {
			if found := diag.All(err); len(found) > 0 {
				errs = append(errs, found...)
				continue
			}
			return nil, err
		}
		errs = append(errs, inv.conflicts(path, before)...)
	}
	inv.prefix = ""
	inv.settle()
	for _, dir := range inv.dirs() {
		errs.AddErr(diag.Pos{File: dir}, inv.varsBeside(dir, besideInventory))
	}
	return inv, errs.Err()
}

// AddPlaybookVars adds group_vars and host_vars of the folder of a playbook.
// It must be called before the inventory is used by several goroutines.
func (inv *Inventory) AddPlaybookVars(dir string) error {
	if slices.Contains(inv.dirs(), filepath.Clean(dir)) {
		return nil // read already, beside the inventory
	}
	return inv.varsBeside(filepath.Clean(dir), besidePlaybook)
}

func (inv *Inventory) load(ctx context.Context, source string) error {
	if path, ok := strings.CutPrefix(source, sshConfigSource); ok {
		return inv.sshConfig(path)
	}
	st, err := os.Stat(source)
	switch {
	case err != nil && strings.Contains(source, ","):
		return inv.list(source)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no inventory %s; a list of hosts needs a comma: %q", source, source+",")
	case err != nil:
		return err
	}
	inv.sources = append(inv.sources, source)
	if !st.IsDir() {
		return inv.file(ctx, source, st.Mode())
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	var errs diag.List
	for _, e := range entries { // sorted by name
		if ignored(e.Name()) {
			continue
		}
		if err := inv.load(ctx, filepath.Join(source, e.Name())); err != nil {
			errs.AddErr(diag.Pos{File: filepath.Join(source, e.Name())}, err)
		}
	}
	return errs.Err()
}

// ignored tells whether Ansible passes over a name within an inventory folder.
func ignored(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
		return true
	}
	switch name {
	case "host_vars", "group_vars", "vars_plugins":
		return true
	}
	switch filepath.Ext(name) {
	case ".pyc", ".pyo", ".swp", ".bak", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry":
		return true
	}
	return false
}

// list reads "host1,host2,".
func (inv *Inventory) list(source string) error {
	for item := range strings.SplitSeq(source, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		names, port, err := expandHost(item, inv.reader.o.MaxRange)
		if err != nil {
			return diag.Errorf(diag.Pos{File: "-i"}, "%v", err)
		}
		for _, name := range names {
			inv.groups[ungroupedGroup].addHost(inv.hostAt(name, port, diag.Pos{File: "-i"}))
		}
	}
	return nil
}

// file reads one file by what it is: a program if it may be executed and
// begins with #!, YAML by its name, or INI; one without an extension is YAML
// if it reads as a mapping.
func (inv *Inventory) file(ctx context.Context, path string, mode fs.FileMode) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if mode&0o111 != 0 && strings.HasPrefix(string(src), "#!") {
		return inv.program(ctx, path)
	}
	switch filepath.Ext(path) {
	case ".yml", ".yaml", ".json":
		return inv.yaml(path, src)
	case ".ini":
		return inv.ini(path, src)
	case ".toml":
		return diag.Errorf(diag.Pos{File: path}, "TOML is not read").WithHint("write it in YAML: ansible-inventory -i %s --list --export --yaml", path)
	}
	if looksLikeYAML(src) {
		return inv.yaml(path, src)
	}
	return inv.ini(path, src)
}

// looksLikeYAML looks at the first line that says something: INI begins with
// a section or a host, neither of which ends with a colon.
func looksLikeYAML(src []byte) bool {
	for line := range strings.Lines(string(src)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		line, _, _ = strings.Cut(line, " #")
		return line == "---" || line[0] == '{' || strings.HasSuffix(strings.TrimSpace(line), ":")
	}
	return false
}

// dirs returns the folders whose group_vars and host_vars belong to the
// inventory.
func (inv *Inventory) dirs() []string {
	var out []string
	for _, s := range inv.sources {
		dir := s
		if st, err := os.Stat(s); err != nil || !st.IsDir() {
			dir = filepath.Dir(s)
		}
		if dir = filepath.Clean(dir); !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}
