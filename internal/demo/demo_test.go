package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tracker"
)

// asTracker makes the test binary a simulated tracker.
const asTracker = "DEMO_TEST_TRACKER"

func TestMain(m *testing.M) {
	if os.Getenv(asTracker) == "" {
		os.Exit(m.Run())
	}
	job := tracker.Job{Database: os.Args[len(os.Args)-2], Ledger: os.Args[len(os.Args)-1], Every: tracker.Usual}
	if err := tracker.Run(context.Background(), job, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options are those of a small demo. Its run copies each database with
// SQLite's own means, after spoil has had a go at the copy.
func options(t *testing.T, out io.Writer, spoil string) Options {
	t.Helper()
	o := Options{
		Dir: filepath.Join(t.TempDir(), "de mo"), Out: out, Program: "runner", torrents: 3000,
		Tracker:  []string{"/usr/bin/env", asTracker + "=1", os.Args[0], "-test.run=^$"},
		Playbook: []byte("---\n"), PlaybookName: "backup-sqlite.yml",
	}
	o.Run = func(ctx context.Context, playbook, inventory, store string) error {
		text, err := os.ReadFile(playbook)
		require.NoError(t, err)
		assert.Equal(t, "---\n", string(text))
		for _, name := range hostNames {
			require.NoError(t, keepCopy(ctx, t, inventory, store, name, spoil))
		}
		return nil
	}
	return o
}

func keepCopy(ctx context.Context, t *testing.T, inventory, store, name, spoil string) error {
	t.Helper()
	plain := filepath.Join(t.TempDir(), "copy.db")
	root := filepath.Join(filepath.Dir(inventory), "hosts", name, "opt/torrust")
	execute(ctx, t, filepath.Join(root, tracker.DatabasePath), `VACUUM INTO '`+plain+`'`)
	if spoil != "" {
		execute(ctx, t, plain, spoil)
	}
	s, err := catalog.Open(store)
	require.NoError(t, err)
	defer s.Close()
	set, err := s.Begin(name, "run", catalog.SetMeta{})
	require.NoError(t, err)
	w, err := set.Create("sqlite.db")
	require.NoError(t, err)
	content, err := os.ReadFile(plain)
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	_, err = w.Commit(catalog.Artifact{Kind: databaseKind, Details: map[string]any{"lock_held_ms": 3.2}})
	require.NoError(t, err)
	_, err = set.Commit(catalog.Complete)
	return err
}

func execute(ctx context.Context, t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, statement)
	require.NoError(t, errors.Join(err, db.Close()))
}

func TestDemo(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	o := options(t, &out, "")
	for range 2 { // a second run in the same folder works
		require.NoError(t, Run(t.Context(), o))
	}
	for _, name := range hostNames {
		assert.Contains(t, out.String(), name+"  integrity_check ok; exactly the state after download ")
	}
	assert.Contains(t, out.String(), "database locked for 3 ms; its tracker made ")
	assert.Contains(t, out.String(), "  rm -r '"+o.Dir+"'\n", "a path with a blank in it")
	assert.Contains(t, out.String(), "; 0 were refused")
	assert.Contains(t, out.String(), "runner backups list --store '"+filepath.Join(o.Dir, "backups")+"'")
	assert.NoDirExists(t, filepath.Join(o.Dir, "hosts"))
	assert.NoFileExists(t, filepath.Join(o.Dir, "id_ed25519"))
	assert.DirExists(t, filepath.Join(o.Dir, "backups", hostNames[0]))
}

func TestDemoFindsAWrongBackup(t *testing.T) {
	t.Parallel()
	o := options(t, io.Discard, `UPDATE torrents SET completed = completed + 1 WHERE id < 2000`)
	err := Run(t.Context(), o)
	require.ErrorContains(t, err, "is not what its tracker wrote")
}

func TestInventoryIsYAML(t *testing.T) {
	t.Parallel()
	o := options(t, io.Discard, "")
	o.Run = func(_ context.Context, _, inventory, _ string) error {
		text, err := os.ReadFile(inventory)
		require.NoError(t, err)
		docs, err := strictyaml.Parse(inventory, text)
		require.NoError(t, err)
		value, err := docs[0].Native(nil)
		require.NoError(t, err)
		group := value.(map[string]any)["trackers"].(map[string]any)
		assert.Len(t, group["hosts"], len(hostNames))
		assert.Equal(t, `-o UserKnownHostsFile="`+filepath.Join(o.Dir, "known_hosts")+`"`, group["vars"].(map[string]any)["ansible_ssh_common_args"])
		return nil
	}
	o.Keep = true
	require.Error(t, Run(t.Context(), o), "there is no backup to judge")
	assert.FileExists(t, filepath.Join(o.Dir, "hosts", hostNames[2], "opt/torrust/.env"), "kept")
}

func TestBusyPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	o := options(t, io.Discard, "")
	o.Port = l.Addr().(*net.TCPAddr).Port
	err = Run(t.Context(), o)
	require.ErrorContains(t, err, "address already in use")
	require.ErrorContains(t, err, "tracker-1")
}

func TestInterruptedDemoLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	o := options(t, io.Discard, "")
	var database string
	o.Run = func(ctx context.Context, _, inventory, _ string) error {
		database = filepath.Join(filepath.Dir(inventory), "hosts", hostNames[0], "opt/torrust", tracker.DatabasePath)
		cancel(stop)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	require.ErrorIs(t, Run(ctx, o), stop)
	assert.NoFileExists(t, database)
	running, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range running {
		line, _ := os.ReadFile(file) // it may have ended meanwhile
		assert.NotContains(t, string(line), database)
	}
}

func TestTrackerThatCannotStart(t *testing.T) {
	t.Parallel()
	o := options(t, io.Discard, "")
	o.Tracker = []string{"/bin/sh", "-c", "echo no such luck >&2; exit 3"}
	err := Run(t.Context(), o)
	require.ErrorContains(t, err, "no such luck")
	o.Tracker = []string{filepath.Join(o.Dir, "no-such-program")}
	require.ErrorIs(t, Run(t.Context(), o), os.ErrNotExist)
}

func TestUnwritableFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := Run(t.Context(), Options{Dir: filepath.Join(file, "demo"), Out: io.Discard})
	require.ErrorContains(t, err, file)
}
