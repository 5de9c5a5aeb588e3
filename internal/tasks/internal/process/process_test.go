package process

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func sh(script string) Command { return Command{Argv: conn.Shell(script), Shown: script} }

func TestRun(t *testing.T) {
	t.Parallel()
	h := taskstest.New(t)
	r, err := Run(t.Context(), h.Host, sh(`printf 'a\r\nb\n\n'; echo oops >&2`))
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.Equal(t, "a\r\nb", r.Outputs["stdout"])
	assert.Equal(t, []any{"a", "b"}, r.Outputs["stdout_lines"])
	assert.Equal(t, "oops", r.Outputs["stderr"])
	assert.EqualValues(t, 0, r.Outputs["rc"])
	assert.Equal(t, "", r.Outputs["msg"])
	assert.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$`, r.Outputs["start"])
	assert.Regexp(t, `^0:00:\d\d\.\d{6}$`, r.Outputs["delta"])
	assert.Equal(t, "a\r\nb\n\n", h.Stdout.String(), "as it comes")

	c := sh(`printf 'a\n\n'`)
	c.KeepEnds = true
	r, err = Run(t.Context(), h.Host, c)
	require.NoError(t, err)
	assert.Equal(t, "a\n\n", r.Outputs["stdout"])
	assert.Equal(t, []any{"a", ""}, r.Outputs["stdout_lines"])
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	h := taskstest.New(t)
	r, err := Run(t.Context(), h.Host, sh(`echo first >&2; echo last >&2; exit 3`))
	require.EqualError(t, err, "exit status 3: last")
	assert.EqualValues(t, 3, r.Outputs["rc"])
	assert.Equal(t, "non-zero return code", r.Outputs["msg"])
	assert.Equal(t, "first\nlast", r.Outputs["stderr"])
	assert.True(t, r.Changed, "it may have changed something before")

	h.Conn.Fail = func(conn.Cmd) error { return &conn.ExitError{Code: -1, Signal: "TERM"} }
	r, err = Run(t.Context(), h.Host, sh("x"))
	require.EqualError(t, err, "ended by signal TERM")
	assert.EqualValues(t, -15, r.Outputs["rc"])

	lost := errors.Join(conn.ErrLost, errors.New("reset by peer"))
	h.Conn.Fail = func(conn.Cmd) error { return lost }
	_, err = Run(t.Context(), h.Host, sh("x"))
	require.ErrorIs(t, err, conn.ErrLost)
}

func TestCreatesAndRemoves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := taskstest.New(t)
	for _, c := range []struct {
		creates, removes string
		runs             bool
	}{
		{"", "", true},
		{dir, "", false},
		{dir + "/no*", "", true},
		{"", dir, true},
		{"", dir + "/no", false},
		{"it", "", true}, // relative to the folder of the command
		{".", "", false},
	} {
		before := len(h.Conn.Runs())
		cmd := Command{Argv: []string{"true"}, Dir: dir, Creates: c.creates, Removes: c.removes}
		r, err := Run(t.Context(), h.Host, cmd)
		require.NoError(t, err)
		assert.Equal(t, c.runs, r.Changed, c)
		assert.Equal(t, c.runs, r.Outputs["stdout"] == "", "skipped, since it exists")
		assert.EqualValues(t, 0, r.Outputs["rc"])
		runs := h.Conn.Runs()[before:]
		assert.Equal(t, c.runs, runs[len(runs)-1].Argv[0] == "true")

		r, err = Check(t.Context(), h.Host, cmd)
		require.NoError(t, err)
		asked := c.creates+c.removes != ""
		assert.Equal(t, c.runs && asked, r.Changed, c)
		assert.Equal(t, c.runs && !asked, r.Skipped, c)
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	c := &capture{}
	piece := []byte(strings.Repeat("x", 1<<20))
	for range 18 {
		n, err := c.Write(piece)
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
	}
	assert.Len(t, c.text(false), maxOutput)
	assert.EqualValues(t, 2<<20, c.dropped)
}

func TestDelta(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "0:00:01.500000", delta(1500*time.Millisecond))
	assert.Equal(t, "2 days, 3:04:05.000006", delta(51*time.Hour+4*time.Minute+5*time.Second+6*time.Microsecond))
	assert.Equal(t, "1 day, 0:00:00.000000", delta(24*time.Hour))
}
