package tracker

import (
	"compress/gzip"
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trackFor runs a tracker in this process until it has made some writes, and
// calls meanwhile in between. It returns the paths of database and ledger.
func trackFor(t *testing.T, meanwhile func(database string)) (database, ledgerPath string) {
	t.Helper()
	dir := t.TempDir()
	database, ledgerPath = filepath.Join(dir, "tracker.db"), filepath.Join(dir, "ledger")
	require.NoError(t, MakeDatabase(t.Context(), database, 3000))
	in, feed := io.Pipe()
	out, output := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- Run(t.Context(), Job{Database: database, Ledger: ledgerPath}, in, output)
		_ = output.Close()
	}()
	line := make([]byte, len("ready\n"))
	_, err := io.ReadFull(out, line)
	require.NoError(t, err)
	meanwhile(database)
	_, err = io.WriteString(feed, "mark\n")
	require.NoError(t, err)
	require.NoError(t, feed.Close())
	stats, err := io.ReadAll(out)
	require.NoError(t, err)
	require.NoError(t, <-done)
	assert.Contains(t, string(stats), `"busy":0`)
	return database, ledgerPath
}

// snapshot is a copy as SQLite itself makes it, compressed.
func snapshot(ctx context.Context, t *testing.T, database, to string) {
	t.Helper()
	db, err := openDatabase(database, "mode=ro", "busy_timeout(5000)")
	require.NoError(t, err)
	defer db.Close()
	plain := strings.TrimSuffix(to, ".gz")
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, plain)
	require.NoError(t, err)
	compress(t, plain, to)
}

func compress(t *testing.T, plain, to string) {
	t.Helper()
	content, err := os.ReadFile(plain)
	require.NoError(t, err)
	f, err := os.Create(to)
	require.NoError(t, err)
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	require.NoError(t, err)
	_, err = z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
}

// waitForWrites returns when the ledger has at least n entries.
func waitForWrites(t *testing.T, database string, n int) {
	t.Helper()
	for {
		l, err := ReadLedger(filepath.Join(filepath.Dir(database), "ledger"))
		require.NoError(t, err)
		if len(l.entries) >= n {
			return
		}
		require.NoError(t, t.Context().Err())
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db.gz")
	_, ledgerPath := trackFor(t, func(database string) {
		waitForWrites(t, database, 20)
		snapshot(t.Context(), t, database, good)
		waitForWrites(t, database, 40)
	})
	l, err := ReadLedger(ledgerPath)
	require.NoError(t, err)
	v, err := Judge(t.Context(), good, l, dir)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, v.Writes, int64(19))
	assert.Less(t, v.Writes, int64(len(l.entries)), "the tracker went on after the snapshot")

	plain := strings.TrimSuffix(good, ".gz")
	entries := l.entries
	early, late := entries[0], entries[len(entries)-1]
	for name, tt := range map[string]struct {
		spoil string
		args  []any
		want  string
	}{
		"a write is missing": {
			`UPDATE torrents SET completed = completed + (CASE WHEN info_hash = ? THEN -1 WHEN id = 5 THEN 1 ELSE 0 END)`, []any{early.hash}, "downloads, it had"},
		"a write came too early": {
			`UPDATE torrents SET completed = completed + (CASE WHEN info_hash = :early THEN -1 ELSE 0 END); INSERT INTO torrents(info_hash, completed) VALUES(:late, 1) ON CONFLICT DO UPDATE SET completed = completed + 1`,
			[]any{sql.Named("early", early.hash), sql.Named("late", late.hash)}, "downloads, it had"},
		"the total is of another moment": {`UPDATE torrent_aggregate_metrics SET value = value - 2`, nil, "two moments are mixed"},
		"downloads of no moment":         {`UPDATE torrents SET completed = completed + 1000000 WHERE id = 7`, nil, "of no moment"},
		"an index misses a row":          {`PRAGMA writable_schema = on; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_whitelist_1') WHERE name = 'sqlite_autoindex_torrents_1'`, nil, "integrity_check"},
	} {
		bad := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".db")
		content, err := os.ReadFile(plain)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(bad, content, 0o600))
		db, err := openDatabase(bad, "mode=rw")
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), tt.spoil, tt.args...)
		require.NoError(t, err)
		require.NoError(t, db.Close())
		compress(t, bad, bad+".gz")
		_, err = Judge(t.Context(), bad+".gz", l, dir)
		require.ErrorContains(t, err, tt.want, name)
	}

	cut, err := os.ReadFile(good)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(good, cut[:len(cut)/2], 0o600))
	_, err = Judge(t.Context(), good, l, dir)
	require.ErrorContains(t, err, "decompress")
	left, err := filepath.Glob(filepath.Join(dir, ".judged-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "nothing restored is left behind")
}
