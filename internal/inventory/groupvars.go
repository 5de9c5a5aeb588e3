package inventory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/vars"
)

// beside says what folder group_vars and host_vars stand in: their place in
// the order of precedence.
type beside struct{ all, groups, hosts vars.Level }

var (
	besideInventory = beside{vars.GroupVarsAll, vars.GroupVars, vars.HostVars}
	besidePlaybook  = beside{vars.PlaybookGroupVarsAll, vars.PlaybookGroupVars, vars.PlaybookHostVars}
)

// varsBeside reads group_vars and host_vars of a folder.
func (inv *Inventory) varsBeside(dir string, at beside) error {
	var errs diag.List
	for _, g := range inv.order {
		level := at.groups
		if g.name == allGroup {
			level = at.all
		}
		layers, err := inv.varsOf(filepath.Join(dir, "group_vars"), g.name, level)
		errs.AddErr(diag.Pos{File: dir}, err)
		g.files = append(g.files, layers...)
	}
	if _, err := os.Stat(filepath.Join(dir, "host_vars")); err != nil {
		return errs.Err() // thousands of hosts need not be looked for one by one
	}
	for _, h := range inv.hosts {
		layers, err := inv.varsOf(filepath.Join(dir, "host_vars"), h.file, at.hosts)
		errs.AddErr(diag.Pos{File: dir}, err)
		h.hostVars = append(h.hostVars, layers...)
	}
	return errs.Err()
}

// varsOf reads the variables of one group or host: the first that exists of
// the folder or file of its name, and the name with .yml, .yaml or .json; then
// the first such file that is encrypted by age, whose name ends in .age.
func (inv *Inventory) varsOf(dir, name string, level vars.Level) ([]vars.Layer, error) {
	if strings.ContainsRune(name, filepath.Separator) || name == ".." {
		return nil, nil
	}
	plain, err := inv.firstOf(dir, name, []string{"", ".yml", ".yaml", ".json"}, level)
	if err != nil {
		return nil, err
	}
	sealed, err := inv.firstOf(dir, name, []string{".age", ".yml.age", ".yaml.age", ".json.age"}, level)
	return append(plain, sealed...), err
}

func (inv *Inventory) firstOf(dir, name string, endings []string, level vars.Level) ([]vars.Layer, error) {
	for _, ext := range endings {
		path := filepath.Join(dir, name+ext)
		st, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err != nil && ext == "":
			continue
		case err != nil:
			return nil, err
		case st.IsDir() && ext == "":
			return inv.varsFolder(path, level)
		case !st.IsDir():
			layer, err := inv.reader.read(path)
			layer.Level = level
			return []vars.Layer{layer}, err
		}
	}
	return nil, nil
}

// varsFolder reads every file of a folder, in the order of names.
func (inv *Inventory) varsFolder(dir string, level vars.Level) ([]vars.Layer, error) {
	var layers []vars.Layer
	var errs diag.List
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if path != dir && (strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~")) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			return nil
		}
		switch filepath.Ext(strings.TrimSuffix(name, ".age")) {
		case "", ".yml", ".yaml", ".json":
			layer, err := inv.reader.read(path)
			errs.AddErr(diag.Pos{File: path}, err)
			layer.Level = level
			layers = append(layers, layer)
		}
		return nil
	})
	errs.AddErr(diag.Pos{File: dir}, err)
	return layers, errs.Err()
}
