package sqlitecopy

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestWALCopiesUnderFullWrites: every copy is a state that the database had,
// whatever the log does meanwhile.
func TestWALCopiesUnderFullWrites(t *testing.T) {
	t.Parallel()
	s := newSite(t, 10_000)
	s.start(t, "wal")
	path := filepath.Join(t.TempDir(), "copy.db")
	for i := range 8 {
		trailer, err := copyTo(t, s.database, path)
		require.NoError(t, err, i)
		assert.Equal(t, MethodWAL, trailer.Method)
		assert.Positive(t, trailer.CheckpointsHeldMS)
		assert.Zero(t, trailer.LockHeldMS)
		require.NoError(t, s.judge(t, path), i)
	}
	stats, err := s.track.Stop()
	require.NoError(t, err)
	assert.Zero(t, stats.Busy)
	assert.Positive(t, stats.Writes)
}

// TestWALAfterAKill copies what a killed tracker has left: a log that nobody
// has open.
func TestWALAfterAKill(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3000)
	s.start(t, "wal")
	path := filepath.Join(t.TempDir(), "copy.db")
	s.track.Mark()
	require.Eventually(t, func() bool {
		log, err := os.Stat(s.database + "-wal")
		return err == nil && log.Size() > 100_000
	}, time.Minute, time.Millisecond)
	s.track.Kill()
	trailer, err := copyTo(t, s.database, path)
	require.NoError(t, err)
	assert.Equal(t, MethodWAL, trailer.Method)
	assert.Zero(t, trailer.CheckpointsHeldMS, "there is nobody to be kept from it")
	require.NoError(t, s.judge(t, path))
	assertSame(t, s.database, path)
}

// walDB makes a database in WAL mode with one connection to it, which never
// waits for a lock.
func walDB(t *testing.T, pageSize int) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(0)")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	do(t, db, fmt.Sprintf(`PRAGMA page_size = %d`, pageSize), `PRAGMA journal_mode = wal`, `CREATE TABLE t(n INTEGER PRIMARY KEY, x BLOB)`,
		`INSERT INTO t(x) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 700) SELECT randomblob(900) FROM n`)
	return path, db
}

func do(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
}

// checkpoint returns what PRAGMA wal_checkpoint says: whether it was kept from
// it, frames in the log, frames in the database.
func checkpoint(t *testing.T, db *sql.DB, mode string) (busy, frames, backfilled int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `PRAGMA wal_checkpoint(`+mode+`)`).Scan(&busy, &frames, &backfilled))
	return busy, frames, backfilled
}

// assertSame compares what two databases hold.
func assertSame(t *testing.T, want, got string) {
	t.Helper()
	sums := make([]string, 2)
	for i, path := range []string{want, got} {
		db, err := sql.Open("sqlite", "file:"+path)
		require.NoError(t, err)
		var check string
		require.NoError(t, db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&check))
		assert.Equal(t, "ok", check)
		rows, err := db.QueryContext(t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
		require.NoError(t, err)
		var tables []string
		for rows.Next() {
			var name string
			require.NoError(t, rows.Scan(&name))
			tables = append(tables, name)
		}
		require.NoError(t, rows.Err())
		for _, name := range tables {
			var n int
			var sum sql.NullString
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*), sum(rowid) FROM `+name).Scan(&n, &sum))
			sums[i] += fmt.Sprintln(name, n, sum.String)
		}
		require.NoError(t, db.Close())
	}
	assert.Equal(t, sums[0], sums[1])
}

// copyDuring copies, and does something once the first bytes were sent.
func copyDuring(t *testing.T, path string, during func()) (copied string, trailer Trailer, err error) {
	t.Helper()
	var stream bytes.Buffer
	first := true
	trailer, err = Send(t.Context(), Params{Path: path, LockWait: time.Second}, writerFunc(func(p []byte) (int, error) {
		if first {
			first = false
			during()
		}
		return stream.Write(p)
	}))
	if err != nil {
		return "", trailer, err
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "copy.db"))
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, Receive(&stream, f, nil))
	require.NoError(t, Finish(f, trailer))
	return f.Name(), trailer, nil
}

// TestWALNobodyWaits: writers go on during a copy without waiting a moment,
// and checkpoints are put off, not blocked.
func TestWALNobodyWaits(t *testing.T) {
	t.Parallel()
	path, db := walDB(t, 4096)
	copied, _, err := copyDuring(t, path, func() {
		do(t, db, `INSERT INTO t(x) SELECT x FROM t`, `DELETE FROM t WHERE n % 7 = 0`, `UPDATE t SET x = randomblob(500) WHERE n % 5 = 0`)
		for _, mode := range []string{"PASSIVE", "FULL", "RESTART", "TRUNCATE"} {
			busy, _, _ := checkpoint(t, db, mode)
			assert.Equal(t, 1, busy, mode)
		}
		_, err := db.ExecContext(t.Context(), `PRAGMA journal_mode = delete`)
		assert.Error(t, err)
	})
	require.NoError(t, err)
	assertSame(t, path, copied)
	busy, _, _ := checkpoint(t, db, "TRUNCATE")
	assert.Zero(t, busy, "the lock is gone")
}

// TestWALBeginsAnew: the log was in the database completely, and begins anew
// in the middle of the copy.
func TestWALBeginsAnew(t *testing.T) {
	t.Parallel()
	path, db := walDB(t, 4096)
	busy, frames, backfilled := checkpoint(t, db, "PASSIVE")
	require.Zero(t, busy)
	require.Equal(t, frames, backfilled)
	require.Positive(t, frames)
	copied, _, err := copyDuring(t, path, func() { do(t, db, `UPDATE t SET x = randomblob(400) WHERE n < 9`) })
	require.NoError(t, err)
	assertSame(t, path, copied)
}

func TestWALPageSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []int{512, 1024, 65536} {
		path, db := walDB(t, size)
		do(t, db, `DELETE FROM t WHERE n > 500`, `VACUUM`, `INSERT INTO t(x) SELECT randomblob(100) FROM t`)
		copied, trailer, err := copyDuring(t, path, func() {})
		require.NoError(t, err, size)
		assert.Equal(t, size, trailer.PageSize)
		assertSame(t, path, copied)
		// Closed, so in one file again.
		require.NoError(t, db.Close())
		copied, trailer, err = copyDuring(t, path, func() {})
		require.NoError(t, err, size)
		assert.Zero(t, trailer.CheckpointsHeldMS)
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		got, err := os.ReadFile(copied)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, got), size)
	}
}

// TestWALBrokenLog: a log that does not hold what the index says is never
// copied as if it did.
func TestWALBrokenLog(t *testing.T) {
	t.Parallel()
	path, db := walDB(t, 4096)
	do(t, db, `UPDATE t SET x = randomblob(900)`)
	log, err := os.OpenFile(path+"-wal", os.O_RDWR, 0)
	require.NoError(t, err)
	defer log.Close()
	index, err := os.Open(path + "-shm")
	require.NoError(t, err)
	defer index.Close()
	h, ok, err := readWALIndex(index)
	require.NoError(t, err)
	require.True(t, ok)
	_, err = log.WriteAt([]byte("damage"), frameOffset(h.frames/2, 4096)+100)
	require.NoError(t, err)
	w, _, err := attach(t.Context(), Params{Path: path, LockWait: time.Second})
	require.NoError(t, err)
	defer w.release()
	c := &walCopy{c: &copier{sent: &pages{size: 4096}, w: io.Discard}, ctx: t.Context(), s: w}
	require.ErrorIs(t, c.hot(), errAgain)
}

// TestWALIndexTorn: a connection that must recover the index waits for our
// lock, so we let go of it.
func TestWALIndexTorn(t *testing.T) {
	t.Parallel()
	path, db := walDB(t, 4096)
	index, err := os.OpenFile(path+"-shm", os.O_RDWR, 0)
	require.NoError(t, err)
	defer index.Close()
	w, _, err := attach(t.Context(), Params{Path: path, LockWait: time.Second})
	require.NoError(t, err)
	before, err := stampOf(w.src.f)
	require.NoError(t, err)
	_, err = index.WriteAt([]byte{0xff}, 20)
	require.NoError(t, err)
	dog := &watchdog{s: w, db: before, progress: &new(walCopy).sent}
	ctx, stop := dog.watch(t.Context())
	defer stop()
	<-ctx.Done()
	require.ErrorIs(t, context.Cause(ctx), errAgain)
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM t`).Scan(&n), "recovered at once")
	assert.Equal(t, 700, n)
	busy, _, _ := checkpoint(t, db, "TRUNCATE")
	assert.Zero(t, busy)
}

// TestWALStopsWhenCancelled: a copy that cannot go on lets go of the locks
// though its own goroutine is stuck.
func TestWALStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	path, db := walDB(t, 4096)
	ctx, cancel := context.WithCancel(t.Context())
	stuck, free := make(chan struct{}), make(chan struct{})
	ended := make(chan error)
	go func() {
		_, err := Send(ctx, Params{Path: path}, writerFunc(func(p []byte) (int, error) {
			select {
			case stuck <- struct{}{}:
			default:
			}
			<-free
			return len(p), nil
		}))
		ended <- err
	}()
	<-stuck
	busy, _, _ := checkpoint(t, db, "TRUNCATE")
	require.Equal(t, 1, busy)
	cancel()
	require.Eventually(t, func() bool {
		busy, _, _ := checkpoint(t, db, "TRUNCATE")
		return busy == 0
	}, time.Minute, time.Millisecond)
	close(free)
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestWALExclusive(t *testing.T) {
	t.Parallel()
	path, db := walDB(t, 4096)
	do(t, db, `PRAGMA locking_mode = exclusive`, `DELETE FROM t WHERE n = 1`)
	_, err := Send(t.Context(), Params{Path: path, LockWait: 20 * time.Millisecond}, io.Discard)
	refused := new(Error)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, CodeLocked, refused.Code)
}

// TestWALAttachedLock: with our lock on the index, it is not taken for
// abandoned; without anybody else we leave no lock on it.
func TestWALAttachedLock(t *testing.T) {
	t.Parallel()
	path, _ := walDB(t, 4096)
	w, _, err := attach(t.Context(), Params{Path: path, LockWait: time.Second})
	require.NoError(t, err)
	defer w.release()
	index, err := os.OpenFile(path+"-shm", os.O_RDWR, 0)
	require.NoError(t, err)
	defer index.Close()
	for _, at := range []int64{lockCheckpoint, lockAttached} {
		l, err := fcntlLock(index.Fd(), unix.F_OFD_GETLK, unix.F_WRLCK, at, 1)
		require.NoError(t, err)
		assert.Equal(t, int16(unix.F_RDLCK), l.Type, at)
	}
	for at := int64(120); at < lockAttached; at++ {
		l, err := fcntlLock(index.Fd(), unix.F_OFD_GETLK, unix.F_WRLCK, at, 1)
		require.NoError(t, err)
		if at != lockCheckpoint {
			assert.Equal(t, int16(unix.F_UNLCK), l.Type, at)
		}
	}
}

// TestReadLog follows a log whose last transaction is open, and one that was
// cut anywhere: what counts ends with a commit.
func TestReadLog(t *testing.T) {
	t.Parallel()
	path, db := walDB(t, 512)
	do(t, db, `INSERT INTO t(x) VALUES (1)`, `INSERT INTO t(x) VALUES (2)`)
	whole, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	h, ok, err := readWALHeader(bytes.NewReader(whole))
	require.NoError(t, err)
	require.True(t, ok)
	all, err := readLog(bytes.NewReader(whole), h, 0)
	require.NoError(t, err)
	require.Positive(t, all.frames)
	for cut := len(whole); cut > len(whole)-5000; cut -= 7 {
		l, err := readLog(bytes.NewReader(whole[:cut]), h, 0)
		require.NoError(t, err)
		require.LessOrEqual(t, int64(l.frames), int64(cut-walHeaderSize)/int64(frameHeaderSize+512))
		if l.frames > 0 {
			last := whole[frameOffset(l.frames, 512)-frameHeaderSize:]
			assert.Equal(t, l.pages, binary.BigEndian.Uint32(last[4:]), "it ends with a commit")
		}
	}
	_, ok, err = readWALHeader(strings.NewReader(strings.Repeat("x", 100)))
	require.NoError(t, err)
	assert.False(t, ok)
}

func FuzzReadLog(f *testing.F) {
	f.Add([]byte{}, uint32(0))
	var head [walHeaderSize]byte
	binary.BigEndian.PutUint32(head[:], walMagic)
	binary.BigEndian.PutUint32(head[4:], walVersion)
	binary.BigEndian.PutUint32(head[8:], 512)
	sum := checksum{}.over(binary.LittleEndian, head[:24])
	binary.BigEndian.PutUint32(head[24:], sum.s0)
	binary.BigEndian.PutUint32(head[28:], sum.s1)
	f.Add(append(head[:], make([]byte, 536)...), uint32(1))
	f.Fuzz(func(t *testing.T, data []byte, limit uint32) {
		r := bytes.NewReader(data)
		h, ok, err := readWALHeader(r)
		require.NoError(t, err)
		if !ok {
			return
		}
		l, err := readLog(r, h, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(l.newest), int(l.frames))
		_, _, err = readWALIndex(r)
		require.NoError(t, err)
	})
}
