package copy

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// Each case runs in check mode first, then twice: check mode changes nothing
// and tells the truth, the second run changes nothing.
func TestCopy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before map[string]string // on the host
		args   string            // %s is the folder on the host
		file   string
		want   string
		mode   os.FileMode
	}{
		"new file":          {nil, `{content: "hello\n", dest: %s/f, mode: "0640"}`, "f", "hello\n", 0o640},
		"mode as a number":  {nil, `{content: x, dest: %s/f, mode: 0604}`, "f", "x", 0o604},
		"other content":     {map[string]string{"f": "old"}, `{content: new, dest: %s/f}`, "f", "new", 0o600},
		"other mode":        {map[string]string{"f": "same"}, `{content: same, dest: %s/f, mode: "0755"}`, "f", "same", 0o755},
		"from a file":       {nil, `{src: app.conf, dest: %s/f, mode: "0600"}`, "f", "from files", 0o600},
		"into a folder":     {nil, `{src: app.conf, dest: %s, mode: "0600"}`, "app.conf", "from files", 0o600},
		"into a new folder": {nil, `{src: app.conf, dest: %s/a/b/, mode: "0600"}`, "a/b/app.conf", "from files", 0o600},
		"a value":           {nil, `{content: {a: [1, true]}, dest: %s/f, mode: "0600"}`, "f", `{"a":[1,true]}`, 0o600},
		"empty":             {nil, `{content: "", dest: %s/f, mode: "0600"}`, "f", "", 0o600},
		"odd names":         {map[string]string{"- 'f $x": "old"}, `{content: new, dest: "%s/- 'f $x"}`, "- 'f $x", "new", 0o600},
		"accepted":          {nil, `{content: good, dest: %s/f, mode: "0600", validate: "grep -q good %%s"}`, "f", "good", 0o600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, dir := taskstest.New(t), t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(h.Files, "files"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(h.Files, "files/app.conf"), []byte("from files"), 0o644))
			for name, text := range c.before {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
			}
			args := fmt.Sprintf(c.args, dir)
			would, err := h.Check(t, Spec(), args, dir)
			require.NoError(t, err)
			assert.True(t, would.Changed)

			r, err := h.Run(t, Spec(), args)
			require.NoError(t, err)
			assert.True(t, r.Changed)
			path := filepath.Join(dir, c.file)
			assert.Equal(t, c.want, content(t, path))
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, c.mode, info.Mode().Perm())
			assert.Equal(t, path, r.Outputs["dest"])
			assert.Equal(t, fmt.Sprintf("%04o", c.mode), r.Outputs["mode"])
			assert.Len(t, r.Outputs["checksum"], 40)
			assert.Equal(t, []string{filepath.Base(c.file)}, names(t, filepath.Dir(path)), "nothing else is left")

			before := taskstest.Tree(t, dir)
			for _, again := range []bool{true, false} {
				if again {
					r, err = h.Check(t, Spec(), args, dir)
				} else {
					r, err = h.Run(t, Spec(), args)
				}
				require.NoError(t, err)
				assert.False(t, r.Changed)
				assert.Equal(t, before, taskstest.Tree(t, dir))
			}
		})
	}
}

func TestDiffAndBackup(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	h.Diff = true
	path := dir + "/f"
	require.NoError(t, os.WriteFile(path, []byte("one\ntwo\n"), 0o640))
	args := `{content: "one\nthree\n", dest: ` + path + `, backup: true}`
	want := "--- " + path + "\n+++ " + path + "\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"
	r, err := h.Check(t, Spec(), args, dir)
	require.NoError(t, err)
	assert.Equal(t, want, r.Diff)
	r, err = h.Run(t, Spec(), args)
	require.NoError(t, err)
	assert.Equal(t, want, r.Diff)
	assert.Equal(t, "one\ntwo\n", content(t, r.Outputs["backup_file"].(string)))
	assert.Equal(t, "one\nthree\n", content(t, path))
}

func TestForceAndFollow(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/real", []byte("old"), 0o600))
	require.NoError(t, os.Symlink("real", dir+"/link"))
	r, err := h.Run(t, Spec(), `{content: new, dest: `+dir+`/real, force: false}`)
	require.NoError(t, err)
	assert.False(t, r.Changed)
	assert.Equal(t, "old", content(t, dir+"/real"))

	_, err = h.Run(t, Spec(), `{content: new, dest: `+dir+`/link, follow: true}`)
	require.NoError(t, err)
	assert.Equal(t, "new", content(t, dir+"/real"))
	target, err := os.Readlink(dir + "/link")
	require.NoError(t, err)
	assert.Equal(t, "real", target)

	_, err = h.Run(t, Spec(), `{content: newer, dest: `+dir+`/link}`)
	require.NoError(t, err)
	assert.Equal(t, "new", content(t, dir+"/real"), "the link was replaced")
	assert.Equal(t, "newer", content(t, dir+"/link"))
}

// What is refused or fails leaves the old file and nothing else.
func TestFailuresLeaveTheOldFile(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{content: new, dest: %s/f, validate: "grep -q good %%s"}`: "validate refuses the new",
		`{content: new, dest: %s/none/f}`:                          "/none does not exist",
		`{content: new, dest: %s}`:                                 "is a folder; name the file",
		`{content: new, dest: %s/f/g}`:                             "/f does not exist",
		`{src: nowhere.conf, dest: %s/f}`:                          "no such file on the controller",
		`{content: new, dest: %s/f, owner: nobody-of-that-name}`:   "invalid user",
	} {
		h, dir := taskstest.New(t), t.TempDir()
		require.NoError(t, os.WriteFile(dir+"/f", []byte("old"), 0o600))
		before := taskstest.Tree(t, dir+"/f")
		_, err := h.Run(t, Spec(), fmt.Sprintf(args, dir))
		require.ErrorContains(t, err, want, args)
		assert.Equal(t, before, taskstest.Tree(t, dir+"/f"))
		assert.Equal(t, []string{"f"}, names(t, dir))
	}
}

func TestLostLink(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	h.Conn.Fail = func(c conn.Cmd) error { return conn.ErrLost }
	_, err := h.Run(t, Spec(), `{content: new, dest: `+dir+`/f}`)
	require.ErrorIs(t, err, conn.ErrLost)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{dest: /a}`:                                 `give either "src" or "content"`,
		`{dest: /a, src: b, content: c}`:             `give either "src" or "content"`,
		`{content: c}`:                               `copy needs "dest"`,
		`{dest: /a/, content: c}`:                    "dest is a folder; content needs the name of a file",
		`{dest: /a, src: b/}`:                        "folders are not copied",
		`{dest: /a, content: c, mode: u=rw}`:         `"u=rw" is not a mode such as "0640"`,
		`{dest: /a, content: c, mode: 644}`:          `mode 644 is a decimal number; write "0644"`,
		`{dest: /a, content: c, validate: "visudo"}`: "validate must contain %s",
		`{dest: /a, content: c, validate: "a '%s"}`:  "no closing quotation",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
