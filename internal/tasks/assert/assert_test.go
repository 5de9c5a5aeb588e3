package assert

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestAssert(t *testing.T) {
	t.Parallel()
	values := taskstest.Values{"yes": true, "no": false, "text": "some", "bad": errors.New("'bad' is undefined")}
	for _, c := range []struct {
		args    string
		outputs map[string]any
		fails   string
	}{
		{`{that: "yes"}`, map[string]any{"msg": "All assertions passed"}, ""},
		{`{that: ["yes", "yes"], success_msg: fine}`, map[string]any{"msg": "fine"}, ""},
		{`{that: ["yes", "no", "bad"]}`, map[string]any{"assertion": "no", "evaluated_to": false, "msg": "Assertion failed"}, "Assertion failed: no"},
		{`{that: "no", fail_msg: alas}`, map[string]any{"assertion": "no", "evaluated_to": false, "msg": "alas"}, "alas: no"},
		{`{that: "no", msg: [a, b]}`, map[string]any{"assertion": "no", "evaluated_to": false, "msg": []any{"a", "b"}}, "a b: no"},
		{`{that: "bad"}`, nil, "'bad' is undefined"},
		{`{that: "text"}`, nil, `the value of "text" must be true or false, this is "some"`},
	} {
		task, err := taskstest.Decode(Spec(), c.args, values)
		require.NoError(t, err, c.args)
		r, err := task.(tasks.Checker).Check(t.Context(), taskstest.New(t).Host)
		assert.Equal(t, c.outputs, r.Outputs, c.args)
		assert.False(t, r.Changed)
		if c.fails == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, c.fails)
		}
	}
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{}`), `assert needs "that"`)
}
