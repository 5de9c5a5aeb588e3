package tracker

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLayout(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, WriteLayout(root, "tracker-1"))
	env, err := os.ReadFile(filepath.Join(root, ".env"))
	require.NoError(t, err)
	assert.Contains(t, string(env), "ADMIN='demo-token-of-tracker-1'")
	assert.NotContains(t, string(env), "@")
	st, err := os.Stat(filepath.Join(root, ".env"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), st.Mode().Perm())
	require.NoError(t, WriteLayout(root, "tracker-1"), "a second time")
}
