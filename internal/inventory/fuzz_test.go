package inventory_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/inventory"
)

// FuzzLoad: no text makes reading an inventory panic, hang or grow without a
// bound, as YAML or as INI.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob("testdata/oracle/*.txtar")
	require.NoError(f, err)
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		require.NoError(f, err)
		for _, file := range a.Files {
			f.Add(file.Data)
		}
	}
	f.Add([]byte("h[1:999999999]\n"))
	f.Add([]byte("h[0:99][0:99][0:99] x=1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		for _, name := range []string{"hosts.yml", "hosts.ini"} {
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, text, 0o600))
			inv, err := inventory.Load(t.Context(), []string{path}, inventory.Options{MaxRange: 1000})
			if err != nil {
				continue
			}
			inv.List()
			for _, h := range inv.Hosts() {
				h.Groups()
			}
		}
	})
}

// FuzzSelect: no pattern makes selecting panic, and what is selected is in the
// inventory, or this machine.
func FuzzSelect(f *testing.F) {
	for _, p := range []string{"all", "web[0]", "~(web|db)", "a*:!b", "&web,db[1:2]", "[2001:db8::1]:22", "web[0-1]", "~[", "x[99999999999999999999]", "!", "&", "[!a]*"} {
		f.Add(p)
	}
	path := filepath.Join(f.TempDir(), "hosts.ini")
	require.NoError(f, os.WriteFile(path, []byte("[web]\nweb[1:9]\na.example.org\n[db]\ndb1\n[all:children]\nweb\n"), 0o600))
	inv, err := inventory.Load(f.Context(), []string{path}, inventory.Options{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, pattern string) {
		found, err := inv.Select(pattern)
		if err != nil {
			return
		}
		for _, h := range found {
			if _, ok := inv.Host(h.Name); !ok {
				require.Contains(t, []string{"localhost", "127.0.0.1", "::1"}, h.Name)
			}
		}
	})
}
