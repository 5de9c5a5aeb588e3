package debug

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/taskstest"
	"github.com/torrust/runner/internal/template"
)

func TestDebug(t *testing.T) {
	t.Parallel()
	values := taskstest.Values{"db.size": int64(7), "gone": &template.UndefinedError{Name: "gone"}, "1/0": errors.New("division by zero")}
	for args, want := range map[string]map[string]any{
		`{}`:                             {"msg": "Hello world!"},
		`{msg: hi}`:                      {"msg": "hi"},
		`{msg: [a, 1]}`:                  {"msg": []any{"a", int64(1)}},
		`{var: db.size}`:                 {"db.size": int64(7)},
		`{var: gone}`:                    {"gone": "VARIABLE IS NOT DEFINED!"},
		`{msg: loud, verbosity: 1}`:      {"msg": "loud"},
		`{msg: very loud, verbosity: 2}`: {},
	} {
		h := taskstest.New(t)
		h.Verbosity = 1
		task, err := taskstest.Decode(Spec(), args, values)
		require.NoError(t, err)
		for _, run := range []func() (tasks.Result, error){
			func() (tasks.Result, error) { return task.Run(t.Context(), h.Host) },
			func() (tasks.Result, error) { return task.(tasks.Checker).Check(t.Context(), h.Host) },
		} {
			r, err := run()
			require.NoError(t, err)
			assert.Equal(t, want, r.Outputs, args)
			assert.False(t, r.Changed)
			assert.Equal(t, len(want) == 0, r.Skipped)
		}
	}
	task, err := taskstest.Decode(Spec(), `{var: 1/0}`, values)
	require.NoError(t, err)
	_, err = task.Run(t.Context(), taskstest.New(t).Host)
	require.EqualError(t, err, "division by zero")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{msg: a, var: b}`), "not both")
}
