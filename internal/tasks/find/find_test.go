package find

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func newTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(dir+"/sub/deep", 0o755))
	for name, size := range map[string]int{"a.log": 10, "b.log": 3000, "B.txt": 1, ".hid": 1, "sub/c.log": 1, "sub/deep/d.log": 1, "odd\nname.log": 1} {
		require.NoError(t, os.WriteFile(dir+"/"+name, make([]byte, size), 0o640))
	}
	long := time.Now().Add(-10 * 24 * time.Hour)
	require.NoError(t, os.Chtimes(dir+"/a.log", long, long))
	require.NoError(t, os.Symlink("a.log", dir+"/link"))
	return dir
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := newTree(t)
	for args, want := range map[string]string{
		``:                                       "B.txt a.log b.log odd\nname.log",
		`, patterns: "*.log"`:                    "a.log b.log odd\nname.log",
		`, patterns: ["a*", "[!a-z]*"]`:          "B.txt a.log",
		`, patterns: "?.log,B*", excludes: "b*"`: "B.txt a.log",
		`, use_regex: yes, patterns: '[ab]\.log'`:        "a.log b.log",
		`, use_regex: yes, patterns: 'log'`:              "",
		`, hidden: yes, patterns: ".*"`:                  ".hid",
		`, recurse: yes, patterns: "[cd].log"`:           "sub/c.log sub/deep/d.log",
		`, recurse: yes, depth: 2, patterns: "[cd].log"`: "sub/c.log",
		`, file_type: directory, recurse: yes`:           "sub sub/deep",
		`, file_type: link`:                              "link",
		`, file_type: any, patterns: "[sl]*"`:            "link sub",
		`, age: 1w`:                                      "a.log",
		`, age: -1d, patterns: "[ab]*"`:                  "b.log",
		`, size: 1k`:                                     "b.log",
		`, size: -5b`:                                    "B.txt odd\nname.log",
		`, follow: yes, patterns: "link"`:                "link",
	} {
		h := taskstest.New(t)
		r, err := h.Check(t, Spec(), `{paths: `+dir+args+`}`, dir)
		require.NoError(t, err, args)
		assert.False(t, r.Changed)
		var got []string
		for _, f := range r.Outputs["files"].([]any) {
			got = append(got, strings.TrimPrefix(f.(map[string]any)["path"].(string), dir+"/"))
		}
		assert.Equal(t, want, strings.Join(got, " "), args)
		assert.EqualValues(t, len(got), r.Outputs["matched"])
	}
}

func TestWhatIsReturned(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), newTree(t)
	r, err := h.Run(t, Spec(), `{paths: [`+dir+`, /nowhere/at/all], patterns: b.log}`)
	require.NoError(t, err)
	f := r.Outputs["files"].([]any)[0].(map[string]any)
	assert.Equal(t, []any{"0640", int64(3000), true, false, int64(os.Getuid())}, []any{f["mode"], f["size"], f["isreg"], f["isdir"], f["uid"]})
	assert.NotContains(t, f, "readable")
	assert.InDelta(t, float64(time.Now().Unix()), f["mtime"], 60)
	assert.Equal(t, int64(7), r.Outputs["examined"])
	assert.Equal(t, map[string]any{"/nowhere/at/all": "No such file or directory"}, r.Outputs["skipped_paths"])
}

func TestBadAnswers(t *testing.T) {
	t.Parallel()
	task := &task{Type: "any"}
	for text, want := range map[string]string{
		"":              "the host's find says nothing",
		"noon\x00":      "the host's clock says",
		"1\x00f\x00644": "ends early",
		"1\x00" + strings.Repeat("x\x00", fields): "the host's find says",
	} {
		_, err := task.read(strings.NewReader(text))
		assert.ErrorContains(t, err, want)
	}
	var b strings.Builder
	b.WriteString("1\x00")
	for i := range maxFiles + 1 {
		fmt.Fprintf(&b, "f\x00644\x001\x000\x000\x00r\x00r\x001\x001\x001\x001\x001\x001\x00\x00/f%d\x00", i)
	}
	_, err := task.read(strings.NewReader(b.String()))
	require.ErrorContains(t, err, "more than 20000 files match")

	h := taskstest.New(t)
	h.Conn.Fail = func(conn.Cmd) error { return conn.ErrLost }
	_, err = h.Run(t, Spec(), `{paths: /}`)
	require.ErrorIs(t, err, conn.ErrLost)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{}`:                    `find needs "paths"`,
		`{paths: a}`:            `path "a" is not absolute`,
		`{paths: /, age: soon}`: `age "soon" is not a number with a unit`,
		`{paths: /, age: 3y}`:   `age "3y" is not a number with a unit`,
		`{paths: /, size: big}`: `size "big" is not a number`,
		`{paths: /, use_regex: yes, patterns: (}`: `pattern "("`,
		`{paths: /, depth: -1}`:                   "depth cannot be negative",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}

func TestFromGlob(t *testing.T) {
	t.Parallel()
	for glob, want := range map[string]string{
		"a*.b?": `a.*\.b.`, "[!ab]": "[^ab]", "[]a]": `[\]a]`, "[a": `\[a`, "[^a]": `[\^a]`, "é": "é",
	} {
		assert.Equal(t, want, fromGlob(glob), glob)
	}
}
