package sshd_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn/opensshd"
)

// maxFile is how long a file may become that something behind the server
// writes: a helper fits, a copy of a database does not.
const maxFile = 40 << 20

// startServer starts an sshd that ends with the test; $SSHD_USER logs in, or
// whoever runs the test. Without an sshd the test is skipped, unless
// REQUIRE_SSHD is set.
func startServer(t *testing.T) *opensshd.Server {
	t.Helper()
	return startServerWith(t, opensshd.Config{MaxFile: maxFile})
}

func startServerWith(t *testing.T, c opensshd.Config) *opensshd.Server {
	t.Helper()
	c.Dir, c.User = publicDir(t), os.Getenv("SSHD_USER")
	s, err := opensshd.Start(t.Context(), c)
	if errors.Is(err, opensshd.ErrMissing) && os.Getenv("REQUIRE_SSHD") == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		if t.Failed() {
			t.Logf("sshd said:\n%s", s.Log())
		}
	})
	return s
}

// give makes dir and all in it belong to who logs in.
func give(t *testing.T, s *opensshd.Server, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	uid, err := strconv.Atoi(s.User.Uid)
	require.NoError(t, err)
	gid, err := strconv.Atoi(s.User.Gid)
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, gid))
	}))
}

// publicDir returns a folder that every user may look into.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "runner-sshd-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}
