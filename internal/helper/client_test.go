package helper_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/conn/localconn"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/helper/agent"
)

// TestMain lets the test binary be the helper that it pushes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == helper.Argument {
		os.Exit(agent.Main())
	}
	os.Exit(m.Run())
}

// newClient returns a client of this machine, and the folder that the helper
// is put into.
func newClient(t *testing.T) (*helper.Client, string) {
	t.Helper()
	c, err := localconn.Dialer{}.Dial(t.Context(), conn.Target{})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "here")
	return helper.New(c, helper.Options{Dir: dir}), dir
}

type filePath struct {
	Path string `json:"path"`
}

func TestStream(t *testing.T) {
	t.Parallel()
	client, dir := newClient(t)
	content := bytes.Repeat([]byte("some text that packs well\n"), 200_000)
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	for range 2 { // the second call finds the helper there
		s, err := client.Call(t.Context(), helper.OpStream, helper.StreamParams{
			Source: helper.Stage{Name: "file", Params: filePath{path}}, Filters: []helper.Stage{{Name: "gzip", Params: map[string]int{"level": 1}}},
		})
		require.NoError(t, err)
		packed, err := io.ReadAll(s)
		require.NoError(t, err)
		var r helper.StreamResult
		require.NoError(t, s.Result(&r))
		require.NoError(t, s.Close())
		require.Len(t, r.Stages, 2)
		sum := sha256.Sum256(content)
		assert.Equal(t, helper.Measure{Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}, r.Stages[0])
		assert.Equal(t, int64(len(packed)), r.Stages[1].Bytes)
		z, err := gzip.NewReader(bytes.NewReader(packed))
		require.NoError(t, err)
		got, err := io.ReadAll(z)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(content, got))
		assert.Positive(t, s.Wire())
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "only the helper itself is there")
	info, err := entries[0].Info()
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
}

func TestFailures(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t)
	for op, tt := range map[string]struct {
		params any
		code   string
	}{
		helper.OpStream: {helper.StreamParams{Source: helper.Stage{Name: "file", Params: filePath{"/no/such/file"}}}, helper.CodeNotFound},
		"nonsense":      {nil, helper.CodeUnknownOp},
	} {
		s, err := client.Call(t.Context(), op, tt.params)
		require.NoError(t, err)
		_, err = io.ReadAll(s)
		told, ok := errors.AsType[*helper.Error](err)
		require.True(t, ok, err)
		assert.Equal(t, tt.code, told.Code)
		require.NoError(t, s.Close())
	}
	s, err := client.Call(t.Context(), helper.OpStream, helper.StreamParams{Source: helper.Stage{Name: "no-source"}})
	require.NoError(t, err)
	_, err = io.ReadAll(s)
	require.ErrorContains(t, err, `no source "no-source"`)
	require.NoError(t, s.Close())
}

// TestCloseEndsTheHelper: a stream that is given up early, or whose context
// ends, leaves no process.
func TestCloseEndsTheHelper(t *testing.T) {
	t.Parallel()
	client, dir := newClient(t)
	zero := filepath.Join(t.TempDir(), "endless")
	require.NoError(t, os.WriteFile(zero, nil, 0o600))
	require.NoError(t, os.Truncate(zero, 1<<40)) // sparse: it never ends in our time
	for _, end := range []func(context.CancelFunc, helper.Stream){
		func(_ context.CancelFunc, s helper.Stream) { assert.NoError(t, s.Close()) },
		func(cancel context.CancelFunc, s helper.Stream) {
			cancel()
			_, err := io.Copy(io.Discard, s)
			assert.ErrorIs(t, err, context.Canceled)
			assert.NoError(t, s.Close())
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := client.Call(ctx, helper.OpStream, helper.StreamParams{Source: helper.Stage{Name: "file", Params: filePath{zero}}})
		require.NoError(t, err)
		_, err = io.ReadFull(s, make([]byte, 1000))
		require.NoError(t, err)
		end(cancel, s)
		cancel()
	}
	running, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range running {
		line, _ := os.ReadFile(file) // it may have ended meanwhile
		assert.NotContains(t, string(line), dir)
	}
}

// host is a Conn that answers the search for a folder as told.
type host struct {
	conn.Conn
	answer string
}

func (h host) Run(_ context.Context, c conn.Cmd) error {
	_, err := io.WriteString(c.Stdout, h.answer+"\n")
	return err
}

func TestUnfitHosts(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		"system FreeBSD amd64": "the host runs FreeBSD amd64",
		"lacking aarch64":      "no helper for aarch64",
		"nowhere /a /b":        "tried: /a /b",
	} {
		_, err := helper.New(host{answer: answer}, helper.Options{}).Call(t.Context(), "op", nil)
		unfit, ok := errors.AsType[*helper.UnfitError](err)
		require.True(t, ok, err)
		assert.Contains(t, unfit.Error(), want)
		assert.NotEmpty(t, unfit.Hint())
	}
	_, err := helper.New(host{answer: "Welcome!"}, helper.Options{}).Call(t.Context(), "op", nil)
	require.ErrorContains(t, err, "Welcome!")
}

// TestFoldersThatAreNotOurs: a link where the folder should be is passed over.
func TestFoldersThatAreNotOurs(t *testing.T) {
	t.Parallel()
	c, err := localconn.Dialer{}.Dial(t.Context(), conn.Target{})
	require.NoError(t, err)
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(dir, link))
	home := filepath.Join(dir, "home")
	s, err := helper.New(withHome{c, home}, helper.Options{Dir: link}).Call(t.Context(), "none", nil)
	require.NoError(t, err)
	_, err = io.ReadAll(s)
	require.ErrorContains(t, err, "does not know")
	require.NoError(t, s.Close())
	entries, err := os.ReadDir(filepath.Join(home, ".cache", "runner"))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	assert.True(t, strings.HasPrefix(entries[0].Name(), "helper-"))
}

type withHome struct {
	conn.Conn
	home string
}

func (w withHome) Run(ctx context.Context, c conn.Cmd) error {
	c.Env = map[string]string{"HOME": w.home, "XDG_CACHE_HOME": ""}
	return w.Conn.Run(ctx, c)
}
