package script

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func newHost(t *testing.T, script string) *taskstest.Host {
	t.Helper()
	h := taskstest.New(t)
	require.NoError(t, os.MkdirAll(filepath.Join(h.Files, "files"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(h.Files, "files", "do.sh"), []byte(script), 0o644))
	return h
}

// folder returns where the script was on the host.
func folder(h *taskstest.Host) string {
	for _, c := range h.Conn.Runs() {
		if c.Argv[0] == "mkdir" {
			return c.Argv[len(c.Argv)-1]
		}
	}
	return ""
}

func TestScript(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t, "#!/bin/sh\npwd; printf '%s.' \"$@\"\n"), t.TempDir()
	r, err := h.Run(t, Spec(), `{cmd: "do.sh one 'two three'", chdir: `+dir+`}`)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.Equal(t, dir+"\none.two three.", r.Outputs["stdout"])
	require.NotEmpty(t, folder(h))
	assert.NoDirExists(t, folder(h))

	r, err = newHost(t, "echo $0").Run(t, Spec(), `{cmd: do.sh, executable: sh -e}`)
	require.NoError(t, err)
	assert.Contains(t, r.Outputs["stdout"], "/script")
}

func TestFailuresRemoveTheScript(t *testing.T) {
	t.Parallel()
	h := newHost(t, "#!/bin/sh\necho no >&2; exit 5\n")
	r, err := h.Run(t, Spec(), `{cmd: do.sh}`)
	require.EqualError(t, err, "exit status 5: no")
	assert.EqualValues(t, 5, r.Outputs["rc"])
	assert.NoDirExists(t, folder(h))

	h.Conn.Fail = func(c conn.Cmd) error {
		if c.Argv[0] == "rm" {
			return errors.New("busy")
		}
		return nil
	}
	_, err = h.Run(t, Spec(), `{cmd: do.sh}`)
	require.ErrorContains(t, err, ": busy")
	for _, c := range h.Conn.Runs() {
		if c.Argv[0] == "mkdir" {
			require.NoError(t, os.RemoveAll(c.Argv[len(c.Argv)-1]))
		}
	}
}

func TestNotRun(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t, "#!/bin/sh\n"), t.TempDir()
	r, err := h.Run(t, Spec(), `{cmd: do.sh, creates: `+dir+`}`)
	require.NoError(t, err)
	assert.False(t, r.Changed)
	assert.Empty(t, folder(h))
	r, err = h.Check(t, Spec(), `{cmd: do.sh}`, dir)
	require.NoError(t, err)
	assert.True(t, r.Skipped)
	_, err = h.Check(t, Spec(), `{cmd: missing.sh}`, dir)
	require.ErrorContains(t, err, "no such file on the controller")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{cmd: "a 'b"}`), "no closing quotation")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{cmd: " "}`), "no script given")
}
