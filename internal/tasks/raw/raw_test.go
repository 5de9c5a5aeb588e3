package raw

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestRaw(t *testing.T) {
	t.Parallel()
	h := taskstest.New(t)
	r, err := h.Run(t, Spec(), `{cmd: "echo a | tr a b"}`)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.Equal(t, "b\n", r.Outputs["stdout"])
	assert.Equal(t, []any{"b"}, r.Outputs["stdout_lines"])
	_, err = h.Run(t, Spec(), `{cmd: exit 2}`)
	require.EqualError(t, err, "exit status 2")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{cmd: ""}`), "no command given")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{cmd: ls, executable: sh}`), "absolute path")
}
