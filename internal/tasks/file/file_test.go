package file

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

var old = time.Unix(1_700_000_000, 0)

// newTree makes a folder with a file, a folder and a link.
func newTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("content"), 0o644))
	require.NoError(t, os.Chtimes(dir+"/f", old, old))
	require.NoError(t, os.MkdirAll(dir+"/d/sub", 0o755))
	require.NoError(t, os.WriteFile(dir+"/d/sub/x", nil, 0o600))
	require.NoError(t, os.Symlink("f", dir+"/l"))
	require.NoError(t, os.Symlink("d", dir+"/ld"))
	return dir
}

// Each case runs in check mode, then twice: check mode changes nothing and
// tells the truth, the second run changes nothing.
func TestFile(t *testing.T) {
	t.Parallel()
	for args, want := range map[string][]string{ // what is then so: "path mode" or "path -> target" or "-path"
		`{path: %/f, mode: "0600"}`:                          {"f -rw-------"},
		`{path: %/l, mode: "0600"}`:                          {"f -rw-------", "l -> f"},
		`{path: %/d, mode: "0700"}`:                          {"d drwx------", "d/sub drwxr-xr-x"},
		`{path: %/d, mode: "0700", recurse: yes}`:            {"d drwx------", "d/sub/x -rwx------"},
		`{path: %/n/o/p, state: directory, mode: "0710"}`:    {"n drwx--x---", "n/o/p drwx--x---"},
		`{path: "%/- a 'b", state: directory, mode: "0700"}`: {"- a 'b drwx------"},
		`{path: %/ld, state: directory, mode: "0700"}`:       {"d drwx------", "ld -> d"},
		`{path: %/n, state: touch, access_time: preserve, modification_time: preserve, mode: "0640"}`: {"n -rw-r-----"},
		`{path: %/f, state: absent}`:                           {"-f", "l -> f"},
		`{path: %/l, state: absent}`:                           {"-l", "f -rw-r--r--"},
		`{path: %/ld, state: absent}`:                          {"-ld", "d/sub/x -rw-------"},
		`{path: %/d, state: absent}`:                           {"-d"},
		`{path: %/n, src: f, state: link}`:                     {"n -> f"},
		`{path: %/l, src: d/sub, state: link}`:                 {"l -> d/sub"},
		`{path: %/ld, src: f, state: link}`:                    {"ld -> f", "d drwxr-xr-x"},
		`{path: %/f, src: d, state: link, force: yes}`:         {"f -> d"},
		`{path: %/n, src: nowhere, state: link, force: yes}`:   {"n -> nowhere"},
		`{path: %/n, src: %/f, state: hard}`:                   {"n -rw-r--r--"},
		`{path: %/d/sub/x, src: %/f, state: hard, force: yes}`: {"d/sub/x -rw-r--r--"},
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			h, dir := taskstest.New(t), newTree(t)
			h.Diff = true
			args := strings.ReplaceAll(args, "%", dir)
			r, err := h.Check(t, Spec(), args, dir)
			require.NoError(t, err, args)
			assert.True(t, r.Changed, args)

			r, err = h.Run(t, Spec(), args)
			require.NoError(t, err, args)
			assert.True(t, r.Changed, args)
			for _, w := range want {
				holds(t, dir, w, args)
			}
			before := taskstest.Tree(t, dir)
			r, err = h.Check(t, Spec(), args, dir)
			require.NoError(t, err, args)
			assert.False(t, r.Changed, args)
			r, err = h.Run(t, Spec(), args)
			require.NoError(t, err, args)
			assert.False(t, r.Changed, args)
			assert.Equal(t, before, taskstest.Tree(t, dir), args)
		})
	}
}

func holds(t *testing.T, dir, want, args string) {
	t.Helper()
	if gone, ok := strings.CutPrefix(want, "-"); ok && !strings.HasPrefix(want, "- ") {
		_, err := os.Lstat(dir + "/" + gone)
		assert.ErrorIs(t, err, os.ErrNotExist, args)
		return
	}
	if name, target, ok := strings.Cut(want, " -> "); ok {
		got, err := os.Readlink(dir + "/" + name)
		require.NoError(t, err, args)
		assert.Equal(t, target, got, args)
		return
	}
	at := strings.LastIndexByte(want, ' ')
	info, err := os.Lstat(dir + "/" + want[:at])
	require.NoError(t, err, args)
	assert.Equal(t, want[at+1:], info.Mode().String(), args)
}

func TestTouchSetsTimes(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), newTree(t)
	r, err := h.Run(t, Spec(), `{path: `+dir+`/f, state: touch, modification_time: preserve}`)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	info, err := os.Stat(dir + "/f")
	require.NoError(t, err)
	assert.True(t, info.ModTime().Equal(old))
	_, err = h.Run(t, Spec(), `{path: `+dir+`/f, state: touch}`)
	require.NoError(t, err)
	info, err = os.Stat(dir + "/f")
	require.NoError(t, err)
	assert.False(t, info.ModTime().Equal(old))
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), newTree(t)
	h.Diff = true
	r, err := h.Run(t, Spec(), `{path: `+dir+`/n, src: f, state: link}`)
	require.NoError(t, err)
	assert.Equal(t, []any{dir + "/n", dir + "/n", "f", "link"}, []any{r.Outputs["path"], r.Outputs["dest"], r.Outputs["src"], r.Outputs["state"]})
	assert.Contains(t, r.Diff, "-state: absent\n+state: link\n")
	r, err = h.Run(t, Spec(), `{path: `+dir+`/n, state: absent}`)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"path": dir + "/n", "state": "absent"}, r.Outputs)
	r, err = h.Run(t, Spec(), `{path: `+dir+`/f, state: file}`)
	require.NoError(t, err)
	assert.Equal(t, []any{"file", "0644", int64(7)}, []any{r.Outputs["state"], r.Outputs["mode"], r.Outputs["size"]})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{path: %/none}`:                               "does not exist; state touch or directory would make it",
		`{path: %/d, state: file}`:                     "/d is a directory, not a file",
		`{path: %/f, state: directory}`:                "/f is a file, not a directory",
		`{path: %/f/x, state: directory}`:              "/f/x: Not a directory",
		`{path: %/f, src: d, state: link}`:             "/f is a file, not a link; force would replace it",
		`{path: %/d, src: f, state: link, force: yes}`: "/d is a directory, not a link",
		`{path: %/n, src: nowhere, state: link}`:       "/nowhere does not exist; force would link to it all the same",
		`{path: %/f, state: link}`:                     "is no link; src says",
		`{path: %/n, src: %/nowhere, state: hard}`:     "/nowhere does not exist",
		`{path: %/d/sub/x, src: %/f, state: hard}`:     "not a hard link; force would replace it",
		`{path: %/f, owner: nobody-of-that-name}`:      "invalid user",
	} {
		h, dir := taskstest.New(t), newTree(t)
		before := taskstest.Tree(t, dir)
		_, err := h.Run(t, Spec(), strings.ReplaceAll(args, "%", dir))
		assert.ErrorContains(t, err, want, args)
		assert.Equal(t, before, taskstest.Tree(t, dir), args)
	}
	for args, want := range map[string]string{
		`{}`:                                     `file needs "path"`,
		`{path: /, state: absent}`:               "this would remove everything",
		`{path: /.., state: absent}`:             "this would remove everything",
		`{path: /a, state: hard}`:                "state hard needs src",
		`{path: /a, src: b}`:                     "src belongs to state link or hard",
		`{path: /a, state: touch, recurse: yes}`: "recurse belongs to state directory",
		`{path: /a, state: folder}`:              `"state" cannot be "folder"`,
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
