// Package internal_test holds the rules of which package may know which: the
// map of docs/design.md, as a test.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/torrust/runner/"

// mayImport lists, for each package of ours, the packages of ours that its
// product code may import. A pattern ends in "/..." to mean a whole tree.
// A package that is missing here may import none.
var mayImport = map[string][]string{
	"cmd/runner":         {"internal/cli"},
	"internal/cli":       {"internal/...", "playbooks"},
	"internal/demo":      {"internal/catalog", "internal/conn/shell", "internal/conn/sshserver", "internal/tracker"},
	"internal/sink":      {"internal/event"},
	"internal/executor":  {"internal/plan", "internal/tasks", "internal/conn", "internal/catalog", "internal/event", "internal/helper", "internal/redact", "internal/template", "internal/vars", "internal/strictyaml", "internal/diag"},
	"internal/plan":      {"internal/playbook", "internal/schema", "internal/tasks", "internal/pipe", "internal/template", "internal/vars", "internal/strictyaml", "internal/diag"},
	"internal/playbook":  {"internal/strictyaml", "internal/diag", "internal/shlex"},
	"internal/inventory": {"internal/vault", "internal/strictyaml", "internal/diag", "internal/shlex", "internal/vars"},
	"internal/target":    {"internal/conn", "internal/shlex", "internal/diag"},

	"internal/pipe":       {"internal/tasks", "internal/helper", "internal/catalog"},
	"internal/tasks":      {"internal/conn", "internal/helper", "internal/catalog", "internal/strictyaml", "internal/diag", "internal/vars", "internal/template"},
	"internal/tasks/all":  {"internal/tasks/..."},
	"internal/tasks/*":    {"internal/tasks", "internal/pipe", "internal/conn", "internal/helper", "internal/catalog", "internal/sqlitecopy", "internal/mysqldump", "internal/window", "internal/discover", "internal/container", "internal/shlex", "internal/vars", "internal/diag", "internal/template", "internal/tasks/internal/...", "internal/tasks/configtar/pack"},
	"internal/helper":     {"internal/conn", "internal/helper/...", "internal/sqlitecopy"},
	"internal/helper/*":   {"internal/helper/...", "internal/helper", "internal/sqlitecopy", "internal/mysqldump", "internal/window", "internal/discover", "internal/container", "internal/tasks/configtar/..."},
	"internal/mysqldump":  {"internal/container", "internal/compose", "internal/conn/shell"},
	"internal/discover":   {"internal/compose", "internal/container"},
	"internal/compose":    {"internal/strictyaml"},
	"internal/window":     {"internal/container"},
	"internal/sqlitecopy": {"internal/helper/wire"},

	"internal/tasks/internal/*": {"internal/tasks", "internal/tasks/internal/...", "internal/pipe", "internal/conn", "internal/helper", "internal/catalog", "internal/shlex"},
	"internal/tasks/taskstest":  {"internal/tasks", "internal/conn", "internal/helper", "internal/catalog", "internal/strictyaml", "internal/diag", "internal/template"},

	"internal/template":       {"internal/vars", "internal/diag"},
	"internal/vars":           {"internal/diag"},
	"internal/strictyaml":     {"internal/diag"},
	"internal/conn":           {"internal/shlex"},
	"internal/conn/localconn": {"internal/conn", "internal/conn/shell"},
	"internal/conn/sshconn":   {"internal/conn", "internal/conn/...", "internal/shlex"},
	"internal/conn/shell":     {"internal/conn"},
	"internal/conn/opensshd":  {"internal/conn/sshserver"},
	"internal/conn/conntest":  {"internal/conn", "internal/conn/..."},
}

// onlyIn names the packages that alone may import a library.
var onlyIn = map[string][]string{
	"golang.org/x/crypto/ssh":               {"internal/conn/sshconn", "internal/conn/sshserver"},
	"github.com/pkg/sftp":                   {"internal/conn/sshconn", "internal/conn/sshserver"},
	"gopkg.in/yaml.v3":                      {"internal/strictyaml", "internal/template"},
	"github.com/rs/zerolog":                 {"internal/sink", "internal/cli"},
	"github.com/spf13/cobra":                {"internal/cli"},
	"github.com/compose-spec/compose-go/v2": {"internal/compose"},
	"github.com/santhosh-tekuri/jsonschema": {"internal/schema"},
	"github.com/BurntSushi/toml":            {"internal/discover"},
	"modernc.org/sqlite":                    {"internal/tasks/sqlite", "internal/tracker", "bench"},
	"github.com/stretchr/testify":           {"internal/conn/conntest"},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	require.NoError(t, err)
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	all := packages(t)
	require.Greater(t, len(all), 20)
	for _, p := range all {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module); ok {
				assert.True(t, allowed(name, ours), "%s must not import %s", name, ours)
				continue
			}
			for library, users := range onlyIn {
				if imported == library || strings.HasPrefix(imported, library+"/") {
					assert.True(t, matchesAny(users, name), "%s must not import %s: only %v may", name, imported, users)
				}
			}
		}
	}
}

// allowed tells whether name may import ours: by its own rule, or else by
// that of its parent folder.
func allowed(name, ours string) bool {
	if strings.HasPrefix(name, "bench/") || strings.HasPrefix(name, "e2e/") {
		return true // programs about us
	}
	rule, ok := mayImport[name]
	if !ok {
		rule = mayImport[path.Dir(name)+"/*"]
	}
	return matchesAny(rule, ours)
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		tree, isTree := strings.CutSuffix(p, "/...")
		return name == p || strings.HasPrefix(name, p+"/") && !strings.HasPrefix(p, "internal/") || isTree && strings.HasPrefix(name+"/", tree+"/")
	})
}

// TestTheRulesBite makes sure that a wrong import would be found.
func TestTheRulesBite(t *testing.T) {
	t.Parallel()
	assert.False(t, allowed("internal/plan", "internal/conn"))
	assert.False(t, allowed("internal/tasks/command", "internal/executor"))
	assert.False(t, allowed("internal/event", "internal/sink"))
	assert.True(t, allowed("internal/tasks/command", "internal/tasks"))
	assert.True(t, allowed("internal/cli", "internal/conn/sshconn"))
}
