package setfact

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestSetFact(t *testing.T) {
	t.Parallel()
	h := taskstest.New(t)
	want := map[string]any{"keep": int64(14), "list": []any{"a"}, "on": true, "_x": "y"}
	for range 2 {
		r, err := h.Check(t, Spec(), `{keep: 14, list: [a], on: "true", _x: y, cacheable: false}`, t.TempDir())
		require.NoError(t, err)
		want["on"] = "true" // text stays text
		assert.Equal(t, want, r.Facts)
		assert.Equal(t, map[string]any{"ansible_facts": want}, r.Outputs)
		assert.False(t, r.Changed)
	}
	for args, want := range map[string]string{
		`{}`:                       "no variable given",
		`{a-b: 1}`:                 `"a-b" cannot be the name of a variable`,
		`{a: 1, cacheable: "yes"}`: "cacheable is not supported",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
