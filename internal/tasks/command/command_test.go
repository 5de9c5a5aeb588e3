package command

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestRun(t *testing.T) {
	t.Parallel()
	dir, home := t.TempDir(), os.Getenv("HOME")
	for args, want := range map[string]string{
		`{cmd: "echo 'a b' | cat"}`:                                       "a b | cat",
		`{argv: [printf, '%s.', "x y", ""]}`:                              "x y..",
		`{cmd: pwd, chdir: ` + dir + `}`:                                  dir,
		`{cmd: cat, stdin: hello}`:                                        "hello",
		`{cmd: wc -c, stdin: hello, stdin_add_newline: no}`:               "5",
		`{cmd: echo, strip_empty_ends: false}`:                            "\n",
		`{cmd: 'echo "$NOT_SET_ANYWHERE *" $HOME ~', chdir: ` + dir + `}`: "$NOT_SET_ANYWHERE * " + home + " " + home,
		`{cmd: 'echo $HOME ~', expand_argument_vars: no}`:                 "$HOME ~",
	} {
		r, err := taskstest.New(t).Run(t, Spec(), args)
		require.NoError(t, err, args)
		assert.Equal(t, want, r.Outputs["stdout"], args)
		assert.True(t, r.Changed)
	}
	r, err := taskstest.New(t).Run(t, Spec(), `{cmd: "sh -c 'exit 4'"}`)
	require.EqualError(t, err, "exit status 4")
	assert.Equal(t, []any{"sh", "-c", "exit 4"}, r.Outputs["cmd"])
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := taskstest.New(t)
	r, err := h.Check(t, Spec(), `{cmd: "touch `+dir+`/x"}`, dir)
	require.NoError(t, err)
	assert.True(t, r.Skipped)
	r, err = h.Check(t, Spec(), `{cmd: "touch `+dir+`/x", creates: `+dir+`/x}`, dir)
	require.NoError(t, err)
	assert.True(t, r.Changed)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{}`:                         "no command given",
		`{cmd: ""}`:                  "no command given",
		`{cmd: "echo 'x"}`:           `"echo 'x": no closing quotation`,
		`{cmd: ls, argv: [ls]}`:      `give "cmd" or "argv", not both`,
		`{cmd: ls, chdri: /}`:        `command has no key "chdri"`,
		`{cmd: ls, creates: [a, b]}`: `"creates": must be a string, this is a list`,
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
