package tempfile

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestTempfile(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	r, err := h.Check(t, Spec(), `{path: `+dir+`}`, dir)
	require.NoError(t, err)
	assert.True(t, r.Changed)

	r, err = h.Run(t, Spec(), `{path: `+dir+`, suffix: .db}`)
	require.NoError(t, err)
	assert.Regexp(t, `^`+dir+`/ansible\.\w{8}\.db$`, r.Outputs["path"])
	assert.Equal(t, []any{"0600", "file"}, []any{r.Outputs["mode"], r.Outputs["state"]})

	r, err = h.Run(t, Spec(), `{path: `+dir+`, state: directory, prefix: ""}`)
	require.NoError(t, err)
	info, err := os.Stat(r.Outputs["path"].(string))
	require.NoError(t, err)
	assert.True(t, info.IsDir())
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	found, err := filepath.Glob(dir + "/*")
	require.NoError(t, err)
	assert.Len(t, found, 2, "each run makes a new one")

	_, err = h.Run(t, Spec(), `{path: `+dir+`/none}`)
	require.ErrorContains(t, err, "make a temporary file")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{prefix: ../a}`), "cannot hold a slash")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{state: link}`), `"state" cannot be "link"`)
}
