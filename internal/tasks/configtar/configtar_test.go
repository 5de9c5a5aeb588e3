package configtar

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/tasks/configtar/pack"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

// newHost returns a host whose helper has the source "tar", and a folder with
// configuration.
func newHost(t *testing.T) (*taskstest.Host, string) {
	t.Helper()
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/etc", 0o755))
	require.NoError(t, os.WriteFile(dir+"/etc/tracker.toml", []byte("[core]"), 0o640))
	require.NoError(t, os.WriteFile(dir+"/etc/x.log", []byte("noise"), 0o640))
	h.Helper.Source = func(s helper.Stage) ([]byte, any, error) {
		if s.Name != "tar" {
			return nil, nil, &helper.Error{Code: helper.CodeInvalid, Msg: "unknown source " + s.Name}
		}
		raw, err := json.Marshal(s.Params)
		require.NoError(t, err)
		var p pack.Params
		require.NoError(t, json.Unmarshal(raw, &p))
		var b bytes.Buffer
		r, err := pack.Write(t.Context(), &b, p)
		return b.Bytes(), r, err
	}
	return h, dir
}

func TestAlone(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t)
	args := `{paths: [` + dir + `/et*], optional: [/nowhere], exclude: ["*.log"], dest: config.tar}`
	r, err := h.Check(t, Spec(), args, dir)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.False(t, h.Began())
	assert.Empty(t, h.Helper.Calls())

	r, err = h.Run(t, Spec(), args)
	require.NoError(t, err)
	data, err := os.ReadFile(r.Outputs["path"].(string))
	require.NoError(t, err)
	var names []string
	tr := tar.NewReader(bytes.NewReader(data))
	for head, err := tr.Next(); err == nil; head, err = tr.Next() {
		names = append(names, "/"+head.Name)
	}
	assert.Equal(t, []string{dir + "/etc/", dir + "/etc/tracker.toml"}, names)
	assert.Empty(t, h.Warnings, "what is optional may be missing")

	a := h.Finish(t).Manifest.Artifact("config.tar")
	assert.Equal(t, "stable", a.Proofs[0].Name)
	assert.Equal(t, "passed", a.Proofs[0].Result)
	assert.Equal(t, []any{dir + "/etc/tracker.toml"}, a.Details["files"])
	assert.Equal(t, []any{"/nowhere"}, a.Details["missing"])
	assert.Equal(t, dir+"/et* /nowhere", a.Source)
}

func TestCompressedByName(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t)
	_, err := h.Run(t, Spec(), `{path: `+dir+`, dest: config.tar.gz}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"config_tar (host)", "gzip (host)"}, h.Finish(t).Manifest.Artifacts[0].Stages)
}

func TestFailures(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t)
	args := `{paths: [` + dir + `/a, "` + dir + `/b *"], dest: x.tar}`
	_, err := h.Check(t, Spec(), args, dir)
	require.EqualError(t, err, "config_tar: nothing matches "+dir+"/a, "+dir+"/b *")
	_, err = h.Run(t, Spec(), args)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	_, err = h.Run(t, Spec(), `{paths: [`+dir+`/empty], dest: x.tar}`)
	require.ErrorContains(t, err, "the archive would hold no file")
	_, err = h.Run(t, Spec(), `{paths: [`+dir+`], max_size: 4, dest: x.tar}`)
	require.ErrorContains(t, err, "would hold more than 4 bytes")
}

func TestUnstableIsUnknown(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t)
	h.Helper.Source = func(helper.Stage) ([]byte, any, error) {
		return []byte("tar"), pack.Report{Regular: 1, Unstable: []string{"/a"}, Databases: []string{"/b.db"}}, nil
	}
	_, err := h.Run(t, Spec(), `{paths: [`+dir+`], changed: keep, dest: x.tar}`)
	require.NoError(t, err)
	assert.Equal(t, "unknown", h.Finish(t).Manifest.Artifacts[0].Proofs[0].Result)
	assert.Equal(t, []string{"/b.db is an SQLite database; if it is in use only sqlite_copy makes a safe copy", "changed while they were read: /a"}, h.Warnings)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{dest: x}`:                              "no path given",
		`{paths: /a}`:                            `config_tar needs "dest"`,
		`{paths: a, dest: x}`:                    `path "a" is not absolute`,
		`{paths: "/[", dest: x}`:                 `path "/[" is not a glob`,
		`{paths: /a, exclude: "[", dest: x}`:     `exclude pattern "[" is not a glob`,
		`{paths: /a, changed: perhaps, dest: x}`: `"changed" cannot be "perhaps"`,
		`{paths: /a, dest: /x}`:                  "is absolute",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
	assert.Contains(t, taskstest.Mistake(t, Spec().InPipe(), `{paths: /a, dest: x}`), `config_tar has no key "dest"`)
}
