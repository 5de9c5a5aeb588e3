package localconn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
)

func dial(t *testing.T) conn.Conn {
	t.Helper()
	c, err := Dialer{}.Dial(t.Context(), conn.Target{})
	require.NoError(t, err)
	return c
}

func TestRun(t *testing.T) {
	t.Parallel()
	c := dial(t)
	var out, errOut bytes.Buffer
	err := c.Run(t.Context(), conn.Cmd{
		Argv: conn.Shell(`cat; printf %s "$X" >&2; pwd; exit 3`), Stdin: strings.NewReader("in\n"), Stdout: &out, Stderr: &errOut,
		Env: map[string]string{"X": "a 'b'\n$c"}, Dir: "/",
	})
	exit, ok := errors.AsType[*conn.ExitError](err)
	require.True(t, ok, err)
	assert.Equal(t, 3, exit.Code)
	assert.Equal(t, "in\n/\n", out.String())
	assert.Equal(t, "a 'b'\n$c", errOut.String())

	err = c.Run(t.Context(), conn.Cmd{Argv: conn.Shell("echo no >&2; kill -KILL $$")})
	exit, ok = errors.AsType[*conn.ExitError](err)
	require.True(t, ok, err)
	assert.Equal(t, "KILL", exit.Signal)
	assert.Equal(t, "no", exit.Stderr)
}

func TestCancelEndsTheGroup(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("enough")
	r, w := io.Pipe()
	child := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(r).ReadString('\n')
		child <- strings.TrimSpace(line)
		cancel(stop)
	}()
	err := dial(t).Run(ctx, conn.Cmd{Argv: conn.Shell(`sleep 1000 & echo $!; wait`), Stdout: w})
	require.ErrorIs(t, err, stop)
	stat := "/proc/" + <-child + "/stat"
	assert.Eventually(t, func() bool {
		state, err := os.ReadFile(stat)
		return err != nil || strings.Contains(string(state), ") Z ") // a zombie until somebody waits for it
	}, time.Minute, time.Millisecond, "the command that the shell had started")
}

func TestFiles(t *testing.T) {
	t.Parallel()
	c, dir := dial(t), t.TempDir()
	path := filepath.Join(dir, "a b'c")
	require.NoError(t, c.Put(t.Context(), path, strings.NewReader("one"), 0o640))
	require.NoError(t, c.Put(t.Context(), path, strings.NewReader("two"), 0o600))
	err := c.Put(t.Context(), path, io.MultiReader(strings.NewReader("x"), &broken{}), 0o600)
	require.ErrorIs(t, err, errBroken)
	var out bytes.Buffer
	info, err := c.Get(t.Context(), path, &out)
	require.NoError(t, err)
	assert.Equal(t, "two", out.String())
	assert.Equal(t, int64(3), info.Size())
	assert.Equal(t, fs.FileMode(0o600), info.Mode())
	_, err = c.Stat(t.Context(), filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.Symlink("a b'c", filepath.Join(dir, "link")))
	info, err = c.Stat(t.Context(), filepath.Join(dir, "link"))
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSymlink, info.Mode().Type())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "no temporary file is left")
}

var errBroken = errors.New("broken")

type broken struct{}

func (*broken) Read([]byte) (int, error) { return 0, errBroken }
