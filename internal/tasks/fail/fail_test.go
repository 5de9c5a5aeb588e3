package fail

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestFail(t *testing.T) {
	t.Parallel()
	h := taskstest.New(t)
	r, err := h.Run(t, Spec(), `{msg: no database}`)
	require.EqualError(t, err, "no database")
	assert.Equal(t, map[string]any{"msg": "no database"}, r.Outputs)
	_, err = h.Check(t, Spec(), `{}`, t.TempDir())
	require.EqualError(t, err, "Failed as requested from task")
}
