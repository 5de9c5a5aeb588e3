package slurp

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks/internal/ends"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestAlone(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("hello"), 0o600))
	r, err := h.Check(t, Spec(), `{src: `+dir+`/f}`, dir)
	require.NoError(t, err)
	assert.False(t, r.Changed)
	assert.Equal(t, map[string]any{"content": "aGVsbG8=", "encoding": "base64", "source": dir + "/f"}, r.Outputs)

	_, err = h.Run(t, Spec(), `{src: `+dir+`/none}`)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.Truncate(dir+"/f", hostfile.MaxSmall+1))
	_, err = h.Run(t, Spec(), `{src: `+dir+`/f}`)
	require.ErrorContains(t, err, "is larger than 16.0 MiB")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{}`), `slurp needs "src"`)
}

func TestSource(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("hello"), 0o600))
	s := taskstest.Make(t, Spec().InPipe(), `{src: `+dir+`/f}`)
	assert.Empty(t, pipe.Mistakes([]pipe.Stage{{Kind: "slurp", Task: s}, {Kind: "fetch", Task: ends.Artifact("f")}}))
	stage, err := s.(pipe.HostSource).HostStage(t.Context(), h.Host)
	require.NoError(t, err)
	assert.Equal(t, "file", stage.Name)
	assert.Equal(t, dir+"/f", s.(pipe.HostSource).Origin())

	_, err = taskstest.Make(t, Spec().InPipe(), `{src: `+dir+`}`).(pipe.HostSource).HostStage(t.Context(), h.Host)
	require.ErrorContains(t, err, "is a folder")
}
