package pack

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// old is a time that no file of a test was changed at by accident.
var old = time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)

// makeTree makes files from path -> content; "->x" is a link to x, a path with
// a slash at its end a folder.
func makeTree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch target, isLink := strings.CutPrefix(content, "->"); {
		case strings.HasSuffix(name, "/"):
			require.NoError(t, os.MkdirAll(path, 0o750))
		case isLink:
			require.NoError(t, os.Symlink(target, path))
		default:
			require.NoError(t, os.WriteFile(path, []byte(content), 0o640))
			require.NoError(t, os.Chtimes(path, old, old))
		}
	}
	return root
}

// read returns the entries of an archive by name, without the folder of the
// test: content, "->link", "=>hard link" or "/" for a folder.
func read(t *testing.T, archive []byte, root string) map[string]string {
	t.Helper()
	got := map[string]string{}
	tr := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return got
		}
		require.NoError(t, err)
		name := strings.TrimPrefix("/"+h.Name, root+"/")
		switch h.Typeflag {
		case tar.TypeReg:
			data, err := io.ReadAll(tr)
			require.NoError(t, err)
			got[name] = string(data)
		case tar.TypeSymlink:
			got[name] = "->" + h.Linkname
		case tar.TypeLink:
			got[name] = "=>" + strings.TrimPrefix("/"+h.Linkname, root+"/")
		default:
			got[name] = "/"
		}
	}
}

func write(t *testing.T, p Params) ([]byte, Report) {
	t.Helper()
	var b bytes.Buffer
	r, err := Write(t.Context(), &b, p)
	require.NoError(t, err)
	return b.Bytes(), r
}

func TestWrite(t *testing.T) {
	t.Parallel()
	root := makeTree(t, map[string]string{
		"app/.env": "SECRET=1", "app/compose.yml": "services:", "app/etc/a.toml": "a", "app/etc/b.log": "noise",
		"app/data/x.db": "x", "app/empty/": "", "app/link": "->../outside", "outside": "not ours", "single": "s",
	})
	require.NoError(t, os.Link(filepath.Join(root, "app/.env"), filepath.Join(root, "app/zlink")))
	require.NoError(t, os.Chmod(filepath.Join(root, "app/compose.yml"), 0o750|fs.ModeSetgid))
	require.NoError(t, syscall.Mkfifo(filepath.Join(root, "app/pipe"), 0o600))
	listener, err := net.Listen("unix", filepath.Join(root, "app/s"))
	require.NoError(t, err)
	defer listener.Close()

	p := Params{
		Paths: []string{root + "/app", root + "/sing*"}, Optional: []string{root + "/nowhere", root + "/no*"},
		Exclude: []string{"*.log", "app/data"},
	}
	archive, r := write(t, p)
	assert.Equal(t, map[string]string{
		"app/": "/", "app/.env": "SECRET=1", "app/compose.yml": "services:", "app/etc/": "/", "app/etc/a.toml": "a",
		"app/empty/": "/", "app/link": "->../outside", "app/zlink": "=>app/.env", "single": "s",
	}, read(t, archive, root))
	assert.Equal(t, []int{4, 3, 2, 19}, []int{r.Regular, r.Dirs, r.Links, int(r.Bytes)})
	assert.Equal(t, []Note{
		{root + "/app/pipe", "a named pipe cannot be packed"}, {root + "/app/s", "a socket cannot be packed"},
	}, r.Skipped)
	assert.Equal(t, []string{root + "/nowhere", root + "/no*"}, r.Missing)

	again, _ := write(t, p)
	assert.Equal(t, archive, again, "the same files give the same bytes")

	tr := tar.NewReader(bytes.NewReader(archive))
	for h, err := tr.Next(); err == nil; h, err = tr.Next() {
		assert.Empty(t, h.Uname+h.Gname)
		assert.Equal(t, os.Getuid(), h.Uid)
		if strings.HasSuffix(h.Name, "compose.yml") {
			assert.EqualValues(t, 0o2750, h.Mode)
			assert.True(t, h.ModTime.Equal(old))
		}
	}
}

func TestNamedLinkIsFollowedOnce(t *testing.T) {
	t.Parallel()
	root := makeTree(t, map[string]string{"real/conf": "c", "named": "->real"})
	archive, _ := write(t, Params{Paths: []string{root + "/named"}})
	assert.Equal(t, map[string]string{"named": "->real", "real/": "/", "real/conf": "c"}, read(t, archive, root))
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	root := makeTree(t, map[string]string{"a": "12345", "b": "67890"})
	for name, c := range map[string]struct {
		p  Params
		is func(error) bool
	}{
		"nothing given":  {Params{}, as[*ParamsError]},
		"relative":       {Params{Paths: []string{"etc"}}, as[*ParamsError]},
		"no glob":        {Params{Paths: []string{"/[a"}}, as[*ParamsError]},
		"bad exclude":    {Params{Paths: []string{root}, Exclude: []string{"["}}, as[*ParamsError]},
		"empty exclude":  {Params{Paths: []string{root}, Exclude: []string{""}}, as[*ParamsError]},
		"unknown choice": {Params{Paths: []string{root}, Changed: "perhaps"}, as[*ParamsError]},
		"missing":        {Params{Paths: []string{root, root + "/c"}}, missing},
		"no match":       {Params{Paths: []string{root + "/c*"}}, missing},
		"too big":        {Params{Paths: []string{root}, MaxSize: 9}, as[*SizeError]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Write(t.Context(), io.Discard, c.p)
			require.Error(t, err)
			assert.True(t, c.is(err), "%T %v", err, err)
		})
	}
	_, err := Write(t.Context(), io.Discard, Params{Paths: []string{root}, MaxSize: 10})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Write(ctx, io.Discard, Params{Paths: []string{root}})
	require.ErrorIs(t, err, context.Canceled)
}

func as[E error](err error) bool {
	_, ok := err.(E)
	return ok
}

func missing(err error) bool {
	return err != nil && strings.Contains(err.Error(), fs.ErrNotExist.Error())
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	root := makeTree(t, map[string]string{"a": "1"})
	require.NoError(t, os.Chmod(root+"/a", 0))
	_, err := Write(t.Context(), io.Discard, Params{Paths: []string{root}})
	require.ErrorIs(t, err, fs.ErrPermission)
}

// changer changes a file whenever the archive is written to.
type changer struct {
	bytes.Buffer
	change func()
}

func (c *changer) Write(p []byte) (int, error) {
	c.change()
	return c.Buffer.Write(p)
}

// A file that is larger than the memory for it changes while its content goes
// out: it is packed again, and unpacking gives the last state.
func TestLargeFileThatChanges(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 2*inMemory)
	for name, c := range map[string]struct {
		changes int // how many attempts are spoiled
		change  func(path string) error
		choice  string
		want    string
		fails   bool
	}{
		"once":           {1, func(path string) error { return os.WriteFile(path, []byte(big+"more"), 0o600) }, FailChanged, big + "more", false},
		"becomes short":  {1, func(path string) error { return os.Truncate(path, inMemory/2) }, FailChanged, big[:inMemory/2], false},
		"always":         {1 << 30, func(path string) error { return os.Chtimes(path, old, time.Now()) }, FailChanged, "", true},
		"always, kept":   {1 << 30, func(path string) error { return os.Chtimes(path, old, time.Now()) }, KeepChanged, big, false},
		"vanishes after": {1, os.Remove, FailChanged, big, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := makeTree(t, map[string]string{"big": big})
			w, left := &changer{}, c.changes
			w.change = func() {
				if w.Len() > inMemory/4 && left > 0 {
					left--
					require.NoError(t, c.change(root+"/big"))
				}
			}
			k := newPacker(t.Context(), w, Params{Paths: []string{root + "/big"}, Changed: c.choice})
			k.pause = time.Millisecond
			r, err := k.run()
			if c.fails {
				var changed *ChangedError
				require.ErrorAs(t, err, &changed)
				return
			}
			require.NoError(t, err)
			got := read(t, w.Bytes(), root)["big"]
			assert.Equal(t, len(c.want), len(got))
			assert.True(t, c.want == got)
			assert.Equal(t, c.choice == KeepChanged, len(r.Unstable) == 1)
		})
	}
}

func TestDatabasesAreTold(t *testing.T) {
	t.Parallel()
	root := makeTree(t, map[string]string{
		"small.db": string(sqliteMagic) + "pages", "big.db": string(sqliteMagic) + strings.Repeat("p", inMemory), "text": "SQLite format 3",
	})
	_, r := write(t, Params{Paths: []string{root}})
	assert.Equal(t, []string{root + "/big.db", root + "/small.db"}, r.Databases)
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, file string
		want          bool
	}{
		{"*.log", "/a/b.log", true},
		{"*.log", "/a.log/b", false},
		{"b", "/a/b", true},
		{"/a/*", "/a/b", true},
		{"/a/*", "/a/b/c", false},
		{"/a/**", "/a/b/c", true},
		{"/a/**/c", "/a/c", true},
		{"/a/**/c", "/a/b/b/c", true},
		{"a/b", "/x/a/b", true},
		{"a/b", "/x/a/bc", false},
		{"a/b/", "/a/b", true},
		{"cache/", "/x/cache", true},
		{"/b", "/a/b", false},
	} {
		assert.Equal(t, c.want, match(c.pattern, c.file), "%s %s", c.pattern, c.file)
	}
}
