package pause

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestPause(t *testing.T) {
	t.Parallel()
	task := taskstest.Make(t, Spec(), `{minutes: 1.5, prompt: settle}`)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r, err := task.Run(t.Context(), tasks.Host{})
		require.NoError(t, err)
		assert.Equal(t, 90*time.Second, time.Since(start))
		assert.False(t, r.Changed)
		assert.Equal(t, []any{"settle", int64(90), "Paused for 90.00 seconds"}, []any{r.Note, r.Outputs["delta"], r.Outputs["stdout"]})

		start = time.Now()
		_, err = task.(tasks.Checker).Check(t.Context(), tasks.Host{})
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))

		interrupted := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(interrupted) })
		_, err = task.Run(ctx, tasks.Host{})
		require.ErrorIs(t, err, interrupted)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{}`:                       "waiting for a person is not supported",
		`{prompt: "sure?"}`:        "waiting for a person is not supported",
		`{seconds: 1, minutes: 1}`: "not both",
		`{seconds: -1}`:            "cannot be negative",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
