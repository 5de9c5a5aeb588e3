package hostfile

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestHome(t *testing.T) {
	t.Parallel()
	home := os.Getenv("HOME")
	h := taskstest.New(t)
	for path, want := range map[string]string{
		"/a/~": "/a/~", "~": home, "~/": home + "/", "~/a/b": home + "/a/b", "~$(id)/x": "~$(id)/x", "a~": "a~",
	} {
		got, err := Home(t.Context(), h.Host, path)
		require.NoError(t, err)
		assert.Equal(t, want, got, path)
	}
	_, err := Home(t.Context(), h.Host, "~nobody-of-that-name/x")
	require.ErrorContains(t, err, "knows no such home folder")
	before := len(h.Conn.Runs())
	_, err = Home(t.Context(), h.Host, "/plain")
	require.NoError(t, err)
	assert.Len(t, h.Conn.Runs(), before, "a plain path costs nothing")
}
