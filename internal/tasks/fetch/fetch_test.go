package fetch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func hostFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.env")
	require.NoError(t, os.WriteFile(path, []byte("SECRET=1"), 0o644))
	return path
}

func TestIntoTheSet(t *testing.T) {
	t.Parallel()
	h, src := taskstest.New(t), hostFile(t)
	args := `{src: ` + src + `, dest: config/}`
	r, err := h.Check(t, Spec(), args, filepath.Dir(src))
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.False(t, h.Began(), "no set was begun")

	r, err = h.Run(t, Spec(), args)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.Equal(t, "config"+src, r.Outputs["name"])
	assert.Equal(t, r.Outputs["path"], r.Outputs["dest"])
	a := h.Finish(t).Manifest.Artifact("config" + src)
	require.NotNil(t, a)
	assert.Equal(t, []string{"fetch (host)"}, a.Stages)
	assert.Equal(t, src, a.Source)
	assert.EqualValues(t, 8, a.Size)
}

func TestToTheController(t *testing.T) {
	t.Parallel()
	src := hostFile(t)
	for name, c := range map[string]struct{ args, want string }{
		"as Ansible":   {`, dest: %}`, "web1" + src},
		"flat":         {`, dest: %/x/copy, flat: yes}`, "x/copy"},
		"flat into it": {`, dest: %/x/, flat: yes}`, "x/app.env"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, dir := taskstest.New(t), t.TempDir()
			args := `{src: ` + src + strings.Replace(c.args, "%", dir, 1)
			r, err := h.Check(t, Spec(), args, dir)
			require.NoError(t, err)
			assert.True(t, r.Changed)

			r, err = h.Run(t, Spec(), args)
			require.NoError(t, err)
			assert.True(t, r.Changed)
			dest := filepath.Join(dir, c.want)
			assert.Equal(t, dest, r.Outputs["dest"])
			data, err := os.ReadFile(dest)
			require.NoError(t, err)
			assert.Equal(t, "SECRET=1", string(data))
			info, err := os.Stat(dest)
			require.NoError(t, err)
			assert.EqualValues(t, 0o600, info.Mode())
			assert.Len(t, r.Outputs["checksum"], 40)
			entries, err := os.ReadDir(filepath.Dir(dest))
			require.NoError(t, err)
			assert.Len(t, entries, 1, "no temporary file is left")

			before := taskstest.Tree(t, dest)
			r, err = h.Run(t, Spec(), args)
			require.NoError(t, err)
			assert.False(t, r.Changed)
			assert.Equal(t, before, taskstest.Tree(t, dest))
			assert.False(t, h.Began())
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, dest := range []string{"config", dir, dir + "/x, flat: yes"} {
		args := `src: /nowhere/at/all, dest: ` + dest
		h := taskstest.New(t)
		_, err := h.Run(t, Spec(), `{`+args+`}`)
		require.ErrorIs(t, err, os.ErrNotExist, dest)
		_, err = h.Check(t, Spec(), `{`+args+`}`, dir)
		require.ErrorIs(t, err, os.ErrNotExist, dest)
		r, err := h.Run(t, Spec(), `{`+args+`, fail_on_missing: no}`)
		require.NoError(t, err, dest)
		assert.False(t, r.Changed)
		assert.Contains(t, r.Outputs["msg"], "does not exist")
		assert.NoFileExists(t, dir+"/x")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	_, err := h.Run(t, Spec(), `{src: `+dir+`, dest: config}`)
	require.ErrorContains(t, err, "is a folder; config_tar brings folders home")
	_, err = h.Run(t, Spec(), `{src: `+hostFile(t)+`, dest: `+dir+`, flat: yes}`)
	require.ErrorContains(t, err, "is an existing folder; end it with a slash")
	h.Name = "../up"
	_, err = h.Run(t, Spec(), `{src: `+hostFile(t)+`, dest: `+dir+`}`)
	require.ErrorContains(t, err, "cannot be that of a folder")
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{src: /a}`:             `fetch needs "dest"`,
		`{dest: a}`:             `fetch needs "src"`,
		`{src: a, dest: b}`:     "is not an absolute path",
		`{src: /a/, dest: b}`:   "is a folder",
		`{src: /a, dest: ../b}`: "is not a plain path within the backup set",
		`{src: /a, dest: b, validate_checksum: false}`: "cannot be turned off",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
	in := Spec().InPipe()
	for args, want := range map[string]string{
		`{dest: ../b}`:          "is not a plain path within the backup set",
		`{dest: a, src: /b}`:    `fetch has no key "src"`,
		`{dest: manifest.json}`: "is reserved",
	} {
		assert.Contains(t, taskstest.Mistake(t, in, args), want, args)
	}
	name, err := taskstest.Make(t, in, `{dest: ./db/a.gz}`).(pipe.Sink).ArtifactName()
	require.NoError(t, err)
	assert.Equal(t, "db/a.gz", name)
}
