package hostfile

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

// complain is a host whose commands fail so.
func complain(t *testing.T, code int, stderr string) *taskstest.Host {
	t.Helper()
	h := taskstest.New(t)
	h.Conn.Fail = func(c conn.Cmd) error {
		if c.Stderr != nil {
			_, _ = c.Stderr.Write([]byte(stderr))
		}
		return &conn.ExitError{Code: code}
	}
	return h
}

func TestLookFails(t *testing.T) {
	t.Parallel()
	for stderr, want := range map[string]string{
		"stat: cannot statx '/a/b': Permission denied\n": "/a/b: Permission denied",
		"sh: 1: stat: not found\n":                       "/a/b: sh: 1: stat: not found",
		"":                                               "/a/b: exit status 4",
	} {
		_, err := Look(t.Context(), complain(t, 4, stderr).Host, Query{Path: "/a/b"})
		require.EqualError(t, err, want)
	}
	f, err := Look(t.Context(), complain(t, 3, "").Host, Query{Path: "/a/b"})
	require.NoError(t, err)
	assert.Equal(t, Facts{}, f)
	assert.Equal(t, "absent", f.State())
	assert.Equal(t, map[string]any{"state": "absent"}, f.Outputs())
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	f, err := describe("raw=81a4\nuid=1\nsize=7\nmtime=1.5\npw_name=a=b\nreadable=1\nunknown line\n")
	require.NoError(t, err)
	assert.Equal(t, []any{"0644", int64(1), int64(7), 1.5, "a=b", true, false, true}, []any{f.Mode(), f.UID, f.Size, f.Mtime, f.User, f.Readable, f.Writeable, f.IsRegular()})
	for _, bad := range []string{"", "uid=0\n", "raw=zz\n", "raw=81a4\nuid=none\n", "raw=81a4\nmtime=soon\n"} {
		_, err := describe(bad)
		assert.ErrorContains(t, err, "the host's stat says", bad)
	}
}

func TestAttributesDiffer(t *testing.T) {
	t.Parallel()
	f := Facts{Exists: true, Raw: typeReg | 0o640, UID: 7, GID: 8, User: "u", Group: "g"}
	for a, want := range map[Attributes]bool{
		{}: false, {Mode: "0640"}: false, {Mode: "640"}: false, {Mode: "0o640"}: false, {Mode: "0600"}: true,
		{Owner: "u"}: false, {Owner: "7"}: false, {Owner: "v"}: true, {Group: "g"}: false, {Group: "8"}: false, {Group: "7"}: true,
	} {
		assert.Equal(t, want, a.Differ(f), "%+v", a)
	}
	assert.False(t, Attributes{Mode: "0600"}.Differ(Facts{Exists: true, Raw: typeLink | 0o777}), "a link has no mode")
}

func TestVanished(t *testing.T) {
	t.Parallel()
	_, err := Attributes{Mode: "0600"}.Apply(t.Context(), complain(t, 3, "").Host, Query{Path: "/a"})
	require.EqualError(t, err, "/a vanished")
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	h, path := taskstest.New(t), t.TempDir()+"/f"
	require.NoError(t, os.WriteFile(path, []byte("hello"), 0o600))
	data, err := Read(t.Context(), h.Host, path)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(data))
	require.NoError(t, os.Truncate(path, MaxSmall+1))
	_, err = Read(t.Context(), h.Host, path)
	require.EqualError(t, err, path+" is larger than "+tasks.Size(MaxSmall).String())
}

func TestDiff(t *testing.T) {
	t.Parallel()
	assert.Empty(t, Diff("/a", []byte("same"), []byte("same")))
	assert.Equal(t, "--- /a\n+++ /a\n@@ -0,0 +1,1 @@\n+x\n", Diff("/a", nil, []byte("x\n")))
	assert.Equal(t, "/a: binary content differs\n", Diff("/a", []byte("a\x00"), []byte("b")))
	h := taskstest.New(t)
	r := Replacement{Dest: "/a", Content: Text(strings.Repeat("x", maxDiff+1))}
	assert.Equal(t, "/a: too long to show what changes\n", r.diff(t.Context(), h.Host, Facts{}))
}

// What arrives at the host differs from what was sent: the task must fail.
func TestReplaceNoticesDamage(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	c := Text("hello")
	c.SHA1 = strings.Repeat("0", 40)
	_, err := Replacement{Dest: dir + "/f", Content: c}.Make(t.Context(), h.Host, false)
	require.ErrorContains(t, err, "what has arrived differs from what was sent")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
