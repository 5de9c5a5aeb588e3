package inventory_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/inventory"
)

// files writes files and returns their folder.
func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		mode := os.FileMode(0o600)
		if len(text) > 2 && text[:2] == "#!" {
			mode = 0o700
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), mode))
	}
	return dir
}

func load(t *testing.T, sources ...string) (*inventory.Inventory, error) {
	t.Helper()
	return inventory.Load(t.Context(), sources, inventory.Options{})
}

func selectNames(t *testing.T, inv *inventory.Inventory, pattern string) []string {
	t.Helper()
	found, err := inv.Select(pattern)
	require.NoError(t, err)
	names := []string{}
	for _, h := range found {
		names = append(names, h.Name)
	}
	return names
}

const deployed = "all:\n  hosts:\n    torrust-tracker-vm:\n      ansible_host: "

// TestNamedSources: every deployer calls its only host torrust-tracker-vm.
func TestNamedSources(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"a/inventory.yml": deployed + "192.0.2.1\n", "b/inventory.yml": deployed + "192.0.2.2\n",
		"a/host_vars/torrust-tracker-vm.yml": "beside: a\n",
	})
	a, b := filepath.Join(dir, "a/inventory.yml"), filepath.Join(dir, "b/inventory.yml")
	_, err := load(t, a, b)
	require.ErrorContains(t, err, `b/inventory.yml: the host "torrust-tracker-vm" has the address 192.0.2.2 here, and 192.0.2.1 in an earlier source`)
	_, err = load(t, a, a)
	require.NoError(t, err, "the same twice")

	inv, err := load(t, "production="+a, "test="+b)
	require.NoError(t, err)
	assert.Equal(t, []string{"production-torrust-tracker-vm", "test-torrust-tracker-vm"}, selectNames(t, inv, "all"))
	assert.Equal(t, []string{"test-torrust-tracker-vm"}, selectNames(t, inv, "test"))
	h, ok := inv.Host("production-torrust-tracker-vm")
	require.True(t, ok)
	values := h.Layers().Flat()
	assert.Equal(t, []any{"192.0.2.1", "a"}, []any{values["ansible_host"], values["beside"]})
}

func TestSSHConfig(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"more": "Host=c\n"})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), []byte(`
# hosts
Host a "b" *.example.org !x
  HostName 192.0.2.1
Host *
  User torrust
Include `+dir+`/mor*
`), 0o600))
	inv, err := load(t, "ssh_config:"+filepath.Join(dir, "config"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c"}, selectNames(t, inv, "ssh_config"))
	_, err = load(t, "ssh_config:"+filepath.Join(dir, "none"))
	require.ErrorContains(t, err, "none: ")
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"meta": "#!/bin/sh\n" + `echo '{"web": {"hosts": ["w1"], "vars": {"x": 1}, "children": ["sub"]}, "sub": ["w2"], "_meta": {"hostvars": {"w1": {"y": "z"}}}}'`,
		"each": "#!/bin/sh\n" + `if [ "$1" = --host ]; then echo "{\"name\": \"$2\"}"; else echo '{"db": ["d1"]}'; fi`,
		"fail": "#!/bin/sh\necho no credentials >&2; exit 3",
		"junk": "#!/bin/sh\necho 'x: [1'",
		"list": "#!/bin/sh\necho '[1]'",
		"long": "#!/bin/sh\nexec yes",
		"hang": "#!/bin/sh\nsleep 1000",
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	inv, err := load(t, at("meta"), at("each"))
	require.NoError(t, err)
	assert.Equal(t, []string{"w1", "w2"}, selectNames(t, inv, "web"))
	h, _ := inv.Host("w1")
	assert.Equal(t, map[string]any{"x": int64(1), "y": "z"}, h.Layers().Flat())
	h, _ = inv.Host("d1")
	assert.Equal(t, map[string]any{"name": "d1"}, h.Layers().Flat())

	_, err = load(t, at("fail"), at("junk"), at("list"), at("long"))
	require.ErrorContains(t, err, "fail --list: exit status 3: no credentials")
	require.ErrorContains(t, err, "junk --list")
	require.ErrorContains(t, err, "must print a mapping")
	require.ErrorContains(t, err, "long --list: it prints more than 64 MB")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err = inventory.Load(ctx, []string{at("hang")}, inventory.Options{})
	require.ErrorContains(t, err, "enough")
}
