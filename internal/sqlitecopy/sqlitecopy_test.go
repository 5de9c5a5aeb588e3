package sqlitecopy

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tracker"
)

// asTracker makes the test binary a tracker that writes without a pause. Its
// value is the journal mode.
const asTracker = "SQLITECOPY_TEST_TRACKER"

func TestMain(m *testing.M) {
	if os.Getenv(asTracker) == "" {
		os.Exit(m.Run())
	}
	n := len(os.Args)
	job := tracker.Job{Database: os.Args[n-2], Ledger: os.Args[n-1], Journal: os.Getenv(asTracker)}
	if err := tracker.Run(context.Background(), job, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// site is a database with a tracker that writes to it.
type site struct {
	database, ledger string
	track            *tracker.Process
}

func newSite(t *testing.T, torrents int) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{database: filepath.Join(dir, "tracker.db"), ledger: filepath.Join(dir, "ledger")}
	require.NoError(t, tracker.MakeDatabase(t.Context(), s.database, torrents))
	return s
}

func (s *site) start(t *testing.T, journal string) {
	t.Helper()
	var err error
	s.track, err = tracker.Start(t.Context(), []string{"/usr/bin/env", asTracker + "=" + journal, os.Args[0], "-test.run=^$"}, s.database, s.ledger)
	require.NoError(t, err)
	t.Cleanup(s.track.Kill)
}

// copyTo makes a copy of the database as both ends would.
func copyTo(t *testing.T, database, path string) (Trailer, error) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	r, w := io.Pipe()
	var trailer Trailer
	sent := make(chan error, 1)
	go func() {
		var err error
		trailer, err = Send(t.Context(), Params{Path: database}, w)
		_ = w.CloseWithError(io.EOF)
		sent <- err
	}()
	require.NoError(t, Receive(r, f, nil))
	if err := <-sent; err != nil {
		return trailer, err
	}
	return trailer, Finish(f, trailer)
}

// judge compares a copy with what the tracker wrote.
func (s *site) judge(t *testing.T, path string) error {
	t.Helper()
	l, err := tracker.ReadLedger(s.ledger)
	require.NoError(t, err)
	_, err = tracker.Judge(t.Context(), path, l, t.TempDir())
	return err
}

// TestCopiesUnderFullWrites: every copy is a state that the database had.
func TestCopiesUnderFullWrites(t *testing.T) {
	t.Parallel()
	s := newSite(t, 10_000)
	s.start(t, "delete")
	path := filepath.Join(t.TempDir(), "copy.db")
	for i := range 8 {
		trailer, err := copyTo(t, s.database, path)
		require.NoError(t, err, i)
		assert.Equal(t, MethodDelta, trailer.Method)
		assert.Positive(t, trailer.LockHeldMS)
		require.NoError(t, s.judge(t, path), i)
	}
	stats, err := s.track.Stop()
	require.NoError(t, err)
	assert.Zero(t, stats.Busy)
	assert.Positive(t, stats.Writes)
}

// TestWithoutTheLockCopiesAreWrong is the control: one transaction in the
// middle of the first pass makes a copy that the database never was, unless
// what changed is found under the lock.
func TestWithoutTheLockCopiesAreWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t, 10_000)
	before, err := os.ReadFile(s.database)
	require.NoError(t, err)
	src, h, err := open(s.database)
	require.NoError(t, err)
	defer src.close()
	var stream bytes.Buffer
	written := false
	c := &copier{ctx: t.Context(), src: src, sent: &pages{size: h.pageSize, seed: 1}, w: writerFunc(func(p []byte) (int, error) {
		if !written {
			written = true
			execute(t, s.database, `UPDATE torrents SET completed = completed + 1`)
		}
		return stream.Write(p)
	})}
	require.NoError(t, c.firstPass())
	path := filepath.Join(t.TempDir(), "copy.db")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, Receive(&stream, f, nil))
	require.NoError(t, f.Close())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	after, err := os.ReadFile(s.database)
	require.NoError(t, err)
	assert.False(t, bytes.Equal(before, got), "the state before")
	assert.False(t, bytes.Equal(after, got), "the state after")
}

func TestIdleDatabaseIsNotLocked(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3000)
	old := time.Now().Add(-time.Minute)
	require.NoError(t, os.Chtimes(s.database, old, old))
	path := filepath.Join(t.TempDir(), "copy.db")
	trailer, err := copyTo(t, s.database, path)
	require.NoError(t, err)
	assert.Equal(t, MethodIdle, trailer.Method)
	want, err := os.ReadFile(s.database)
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
}

func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	for _, s := range statements {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

// TestGrowAndShrink changes the size of the file in the middle of a copy.
func TestGrowAndShrink(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"grows":   {`INSERT INTO torrents(info_hash) SELECT hex(randomblob(20)) FROM torrents`},
		"shrinks": {`DELETE FROM torrents WHERE id % 3 > 0`, `VACUUM`},
	} {
		s := newSite(t, 6000)
		path := filepath.Join(t.TempDir(), "copy.db")
		f, err := os.Create(path)
		require.NoError(t, err)
		first := true
		var stream bytes.Buffer
		trailer, err := Send(t.Context(), Params{Path: s.database}, writerFunc(func(p []byte) (int, error) {
			if first {
				first = false
				execute(t, s.database, statements...)
			}
			return stream.Write(p)
		}))
		require.NoError(t, err, name)
		require.NoError(t, Receive(&stream, f, nil))
		require.NoError(t, Finish(f, trailer), name)
		require.NoError(t, f.Close())
		want, err := os.ReadFile(s.database)
		require.NoError(t, err)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, got), name)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestPageSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{512, 1024, 8192, 65536} {
		path := filepath.Join(t.TempDir(), "db")
		execute(t, path, fmt.Sprintf(`PRAGMA page_size = %d`, size), `CREATE TABLE t(x)`, `INSERT INTO t SELECT randomblob(900000)`)
		trailer, err := copyTo(t, path, path+".copy")
		require.NoError(t, err, size)
		assert.Equal(t, size, trailer.PageSize)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	stray := filepath.Join(dir, "stray.db")
	execute(t, stray, `CREATE TABLE t(x)`)
	write("stray.db-wal", "of another database")
	linked := filepath.Join(dir, "linked.db")
	execute(t, linked, `CREATE TABLE t(x)`)
	require.NoError(t, os.Link(linked, linked+"2"))
	dotted := filepath.Join(dir, "dotted.db")
	execute(t, dotted, `CREATE TABLE t(x)`)
	require.NoError(t, os.Mkdir(dotted+".lock", 0o700))
	for path, code := range map[string]string{
		write("empty.db", ""):                           CodeNotDatabase,
		write("short.db", "SQLite format 3"):            CodeNotDatabase,
		write("text.db", strings.Repeat("no", 100)):     CodeNotDatabase,
		write("odd.db", magic+strings.Repeat("x", 100)): CodeNotDatabase,
		dir:    CodeNotDatabase,
		stray:  CodeWAL,
		linked: CodeUnsafeFS,
		dotted: CodeUnsafeFS,
	} {
		_, err := Send(t.Context(), Params{Path: path}, io.Discard)
		refused, ok := errors.AsType[*Error](err)
		require.True(t, ok, "%s: %v", path, err)
		assert.Equal(t, code, refused.Code, path)
	}
	_, err := Send(t.Context(), Params{Path: filepath.Join(dir, "none")}, io.Discard)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestHotJournal: a journal that nobody owns means that the file is in no
// state that was committed.
func TestHotJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	execute(t, path, `CREATE TABLE t(x)`)
	require.NoError(t, os.WriteFile(path+"-journal", []byte("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"), 0o600))
	_, err := Send(t.Context(), Params{Path: path}, io.Discard)
	refused, ok := errors.AsType[*Error](err)
	require.True(t, ok, err)
	assert.Equal(t, CodeHotJournal, refused.Code)
	// A journal whose header is zeroed is a finished one (journal_mode=persist).
	require.NoError(t, os.WriteFile(path+"-journal", make([]byte, 512), 0o600))
	_, err = Send(t.Context(), Params{Path: path}, io.Discard)
	require.NoError(t, err)
}

// TestLockedExclusively: a writer that never lets go is reported, and our wait
// ends; when it lets go, nothing of ours is left.
func TestLockedExclusively(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	execute(t, path, `CREATE TABLE t(x)`)
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), `BEGIN EXCLUSIVE`)
	require.NoError(t, err)
	_, err = Send(t.Context(), Params{Path: path, LockWait: 50 * time.Millisecond}, io.Discard)
	refused, ok := errors.AsType[*Error](err)
	require.True(t, ok, err)
	assert.Equal(t, CodeLocked, refused.Code)
	_, err = db.ExecContext(t.Context(), `ROLLBACK`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	execute(t, path, `INSERT INTO t VALUES (1)`)
}

// TestBudget: a lock that would last too long is not taken, though it is tried
// again: the host may have been busy with something else.
func TestBudget(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3000)
	synctest.Test(t, func(t *testing.T) { // so that the pauses take no time, and nothing takes any
		began := time.Now()
		trailer, err := Send(t.Context(), Params{Path: s.database, MaxLock: -1}, io.Discard)
		refused, ok := errors.AsType[*Error](err)
		require.True(t, ok, err)
		assert.Equal(t, CodeBudget, refused.Code)
		assert.Equal(t, maxAttempts, trailer.Attempts)
		assert.Equal(t, (maxAttempts-1)*retryPause, time.Since(began))
	})
}

// TestReplaced: a file that takes the database's place is not mixed with it.
func TestReplaced(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3000)
	first := true
	_, err := Send(t.Context(), Params{Path: s.database}, writerFunc(func(p []byte) (int, error) {
		if first {
			first = false
			content, err := os.ReadFile(s.database)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(s.database+".new", content, 0o600))
			require.NoError(t, os.Rename(s.database+".new", s.database))
		}
		return len(p), nil
	}))
	refused, ok := errors.AsType[*Error](err)
	require.True(t, ok, err)
	assert.Equal(t, CodeReplaced, refused.Code)
}

// TestFinishFindsDamage: one wrong byte anywhere is found without SQLite.
func TestFinishFindsDamage(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3000)
	path := filepath.Join(t.TempDir(), "copy.db")
	trailer, err := copyTo(t, s.database, path)
	require.NoError(t, err)
	for _, at := range []int64{0, 5000, trailer.Size - 1} {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		b := make([]byte, 1)
		_, err = f.ReadAt(b, at)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte{b[0] ^ 1}, at)
		require.NoError(t, err)
		require.Error(t, Finish(f, trailer))
		_, err = f.WriteAt(b, at)
		require.NoError(t, err)
		require.NoError(t, Finish(f, trailer))
		require.NoError(t, f.Close())
	}
}

func FuzzReceive(f *testing.F) {
	var good bytes.Buffer
	_ = writeRecord(&good, 4096, []byte("hello"))
	f.Add(good.Bytes())
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, stream []byte) {
		file, err := os.CreateTemp(t.TempDir(), "")
		require.NoError(t, err)
		defer file.Close()
		_ = Receive(bytes.NewReader(stream), file, nil) // must not panic
	})
}
