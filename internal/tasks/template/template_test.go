package template

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
	"github.com/torrust/runner/internal/template"
)

func newHost(t *testing.T, options *template.RenderOptions) *taskstest.Host {
	t.Helper()
	h := taskstest.New(t)
	require.NoError(t, os.MkdirAll(filepath.Join(h.Files, "templates"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(h.Files, "templates/app.conf.j2"), []byte("host={{ h }}\n"), 0o644))
	h.Host.Render = func(text string, o template.RenderOptions) (string, error) {
		*options = o
		return strings.ReplaceAll(text, "{{ h }}", "web1"), nil
	}
	return h
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	var o template.RenderOptions
	h, dir := newHost(t, &o), t.TempDir()
	h.Diff = true
	args := `{src: app.conf.j2, dest: ` + dir + `, mode: "0640", trim_blocks: no, lstrip_blocks: yes, newline_sequence: "\r\n", variable_start_string: "[["}`
	r, err := h.Check(t, Spec(), args, dir)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.Contains(t, r.Diff, "+host=web1")
	assert.True(t, o.KeepBlockNL)
	assert.True(t, o.LstripBlocks)
	assert.Equal(t, []string{"\r\n", "[[", ""}, []string{o.Newline, o.VariableStart, o.VariableEnd})
	assert.Equal(t, "app.conf.j2", filepath.Base(o.Name))

	for _, want := range []bool{true, false} {
		r, err = h.Run(t, Spec(), args)
		require.NoError(t, err)
		assert.Equal(t, want, r.Changed)
		data, err := os.ReadFile(dir + "/app.conf")
		require.NoError(t, err)
		assert.Equal(t, "host=web1\n", string(data))
		assert.Equal(t, "0640", r.Outputs["mode"])
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	var o template.RenderOptions
	h, dir := newHost(t, &o), t.TempDir()
	_, err := h.Run(t, Spec(), `{src: none.j2, dest: `+dir+`/f}`)
	require.ErrorContains(t, err, "no such file on the controller")
	h.Host.Render = func(string, template.RenderOptions) (string, error) { return "", errors.New("'x' is undefined") }
	_, err = h.Run(t, Spec(), `{src: app.conf.j2, dest: `+dir+`/f}`)
	require.EqualError(t, err, "app.conf.j2: 'x' is undefined")
	assert.NoFileExists(t, dir+"/f")
	for args, want := range map[string]string{
		`{dest: /a}`:          `template needs "src"`,
		`{dest: /a, src: b/}`: "src must be a file",
		`{dest: /a, src: b, newline_sequence: x}`: `newline_sequence is "x"`,
		`{dest: /a, src: b, validate: x}`:         "must contain %s",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
