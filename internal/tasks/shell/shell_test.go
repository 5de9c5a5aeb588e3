package shell

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for args, want := range map[string]string{
		`{cmd: "echo a b | wc -w"}`:                        "2",
		`{cmd: "cat; pwd", stdin: in, chdir: ` + dir + `}`: "in\n" + dir,
		`{cmd: "wc -c", stdin: in, stdin_add_newline: no}`: "2",
		`{cmd: echo once, creates: ` + dir + `}`:           "skipped, since " + dir + " exists",
		`{cmd: "echo $0", executable: /bin/sh}`:            "/bin/sh",
		"cmd: |\n  x=1\n  echo $x\n":                       "1",
		`{cmd: "echo 'one;' \"two\"; echo three"}`:         "one; two\nthree",
	} {
		r, err := taskstest.New(t).Run(t, Spec(), args)
		require.NoError(t, err, args)
		assert.Equal(t, want, r.Outputs["stdout"], args)
	}
	r, err := taskstest.New(t).Run(t, Spec(), `{cmd: "echo no >&2; false"}`)
	require.EqualError(t, err, "exit status 1: no")
	assert.Equal(t, "echo no >&2; false", r.Outputs["cmd"])
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := taskstest.New(t).Check(t, Spec(), `{cmd: "touch `+dir+`/x"}`, dir)
	require.NoError(t, err)
	assert.True(t, r.Skipped)
	assert.False(t, r.Changed)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{}`:                          `shell needs "cmd"`,
		`{cmd: " "}`:                  "no command given",
		`{cmd: ls, executable: bash}`: `"executable" must be an absolute path`,
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
