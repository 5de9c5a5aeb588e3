package lineinfile

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestLineInFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, before, after string }{
		{`line: x=1`, "a\n", "a\nx=1\n"},
		{`line: x=1`, "a", "a\nx=1\n"},
		{`line: x=1`, "x=1\nb\n", "x=1\nb\n"},
		{`line: x=1, create: yes`, "", "x=1\n"},
		{`line: x=1, regexp: "^x="`, "x=0\nb\nx=2\n", "x=0\nb\nx=1\n"},
		{`line: x=1, regexp: "^x="`, "x=0", "x=1"},
		{`line: x=1, regexp: "^x="`, "b\r\nx=0\r\n", "b\r\nx=1\r\n"},
		{`line: x=1, search_string: "x="`, "a x=0 b\n", "x=1\n"},
		{`line: x=1, insertafter: "^a"`, "a1\na2\nb\n", "a1\na2\nx=1\nb\n"},
		{`line: x=1, insertafter: "^a", firstmatch: yes`, "a1\na2\nb\n", "a1\nx=1\na2\nb\n"},
		{`line: x=1, insertafter: "^b"`, "a\nb\n", "a\nb\nx=1\n"},
		{`line: x=1, insertafter: "^c"`, "a\n", "a\nx=1\n"},
		{`line: x=1, insertafter: EOF`, "a\n", "a\nx=1\n"},
		{`line: x=1, insertbefore: "^a"`, "a1\na2\nb\n", "a1\nx=1\na2\nb\n"},
		{`line: x=1, insertbefore: BOF`, "a\n", "x=1\na\n"},
		{`line: x=1, insertbefore: "^c"`, "a\n", "a\nx=1\n"},
		{`line: '\2=\1 $5', regexp: "^(\\w)=(\\d)$", backrefs: yes`, "x=7\n", "7=x $5\n"},
		{`line: '\g<k>', regexp: "^(?P<k>\\w)=", backrefs: yes`, "x=7\n", "x\n"},
		{`line: '\1', regexp: "^(z)", backrefs: yes`, "x=7\n", "x=7\n"},
		{`line: a, state: absent`, "a\nb\na\nab\n", "b\nab\n"},
		{`regexp: "^a", state: absent`, "a\nb\nab\n", "b\n"},
		{`search_string: ".", state: absent`, "a.\nb\n", "b\n"},
		{`line: z, state: absent`, "a\n", "a\n"},
	} {
		l := taskstest.Make(t, Spec(), `{path: /f, `+c.args+`}`).(*task)
		got, msg, _ := l.edit(c.before)
		assert.Equal(t, c.after, got, c.args)
		assert.Equal(t, c.before != c.after, msg != "", c.args)
		again, msg, _ := l.edit(got)
		assert.Equal(t, c.after, again, c.args)
		assert.Empty(t, msg, c.args)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`path: %/f, line: x=1, regexp: ^x=, mode: "0640"`:              "a\nx=1\n",
		`path: %/new, line: x=1, create: yes, mode: "0640"`:            "x=1\n",
		`path: %/link, line: a, state: absent, mode: "0640"`:           "x=0\n",
		`path: %/f, line: b, mode: "0640", validate: "grep -q ^b$ %s"`: "a\nx=0\nb\n",
	} {
		h, dir := taskstest.New(t), t.TempDir()
		require.NoError(t, os.WriteFile(dir+"/f", []byte("a\nx=0\n"), 0o600))
		require.NoError(t, os.Symlink("f", dir+"/link"))
		args = `{` + strings.Replace(args, "%", dir, 1) + `}`
		r, err := h.Check(t, Spec(), args, dir)
		require.NoError(t, err, args)
		assert.True(t, r.Changed)
		for _, changed := range []bool{true, false} {
			r, err = h.Run(t, Spec(), args)
			require.NoError(t, err, args)
			assert.Equal(t, changed, r.Changed, args)
			data, err := os.ReadFile(r.Outputs["dest"].(string))
			require.NoError(t, err)
			assert.Equal(t, want, string(data), args)
			assert.Equal(t, "0640", r.Outputs["mode"])
		}
		info, err := os.Lstat(dir + "/link")
		require.NoError(t, err)
		assert.Equal(t, os.ModeSymlink, info.Mode().Type(), "links stay links")
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("a\nb\na\n"), 0o640))
	r, err := h.Run(t, Spec(), `{path: `+dir+`/f, line: a, state: absent, backup: yes}`)
	require.NoError(t, err)
	assert.Equal(t, []any{"2 line(s) removed", int64(2), "0640"}, []any{r.Outputs["msg"], r.Outputs["found"], r.Outputs["mode"]})
	assert.FileExists(t, r.Outputs["backup_file"].(string))
	r, err = h.Run(t, Spec(), `{path: `+dir+`/none, line: a, state: absent}`)
	require.NoError(t, err)
	assert.False(t, r.Changed)
	_, err = h.Run(t, Spec(), `{path: `+dir+`/none, line: a}`)
	require.ErrorContains(t, err, "does not exist; create would make it")
	_, err = h.Run(t, Spec(), `{path: `+dir+`, line: a}`)
	require.ErrorContains(t, err, "is not a regular file")
	for args, want := range map[string]string{
		`{path: /a}`:                                           "state present needs line",
		`{path: /a, state: absent}`:                            "state absent needs line, regexp or search_string",
		`{path: /a, line: b, regexp: "("}`:                     "regexp: error parsing regexp",
		`{path: /a, line: b, insertafter: "["}`:                "insertafter: error parsing regexp",
		`{path: /a, line: b, regexp: a, search_string: b}`:     `give "regexp" or "search_string", not both`,
		`{path: /a, line: b, insertafter: a, insertbefore: b}`: "not both",
		`{path: /a, line: b, backrefs: yes}`:                   "backrefs needs regexp",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
