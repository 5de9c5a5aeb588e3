// Package tracker owns a simulated Torrust tracker: a database of the real
// schema, the files around it, a process that writes to it as a tracker does,
// and the judgement of a copy against what that process has written.
//
// It never knows how a copy is made.
package tracker

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"time"

	"modernc.org/sqlite"
)

// sqliteBusy is SQLITE_BUSY: the lock was not to be had in time.
const sqliteBusy = 5

// Usual is the pace of a busy tracker: a hundred completed downloads a second.
// Each is two writes.
const Usual = 10 * time.Millisecond

// Job says what a simulated tracker writes to.
type Job struct {
	Database string
	Ledger   string        // where it notes what it writes, before it does
	Every    time.Duration // time between two completed downloads; 0: no pause
	Journal  string        // SQLite's journal mode: delete (the default), truncate, persist or wal
}

// Stats is what a simulated tracker has seen since it was marked.
type Stats struct {
	Writes       int     `json:"writes"` // committed
	LongestStall float64 `json:"longest_stall_ms"`
	Busy         int     `json:"busy"` // writes refused with SQLITE_BUSY
}

// Run writes to a database as a tracker does when downloads are
// completed: for each, the torrent's count and then the total, both committed
// on their own, with a busy timeout of 5 s. Before it
// does so it notes in the ledger which count the torrent will have.
//
// The line "mark" from in starts the statistics anew; the end of in, or of
// ctx, ends the tracker, and it writes its statistics to out as JSON. It is
// meant to be a process of its own: locks on files belong to processes.
func Run(ctx context.Context, job Job, in io.Reader, out io.Writer) (err error) {
	t, err := newTracker(ctx, job)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	fmt.Fprintln(out, "ready")
	over := make(chan struct{})
	defer close(over)
	commands := make(chan string)
	go func() { // ends with in, that is, with whoever has started us
		defer close(commands)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case commands <- s.Text():
			case <-over:
				return
			}
		}
	}()
	tick := time.NewTicker(max(job.Every, time.Microsecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case command, open := <-commands:
			if !open {
				return json.NewEncoder(out).Encode(t.stats)
			}
			if command == "mark" {
				t.stats = Stats{}
			}
		case <-tick.C:
			if err := t.complete(ctx); err != nil {
				return err
			}
		}
	}
}

type tracker struct {
	db     *sql.DB
	ledger *os.File
	last   int64 // the highest id of a torrent that was there at first
	stats  Stats
}

func newTracker(ctx context.Context, job Job) (*tracker, error) {
	db, err := openDatabase(job.Database, "mode=rw", "busy_timeout(5000)", "journal_mode("+cmp.Or(job.Journal, "delete")+")", "synchronous(full)")
	if err != nil {
		return nil, err
	}
	t := &tracker{db: db}
	var sum, total int64
	err = db.QueryRowContext(ctx, `SELECT max(id), sum(completed), (SELECT value FROM torrent_aggregate_metrics WHERE metric_name = ?) FROM torrents`, totalMetric).Scan(&t.last, &sum, &total)
	if err == nil {
		t.ledger, err = os.OpenFile(job.Ledger, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	}
	if err == nil {
		_, err = fmt.Fprintf(t.ledger, "%d %d\n", sum, total)
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *tracker) close() error {
	err := t.db.Close()
	if t.ledger != nil {
		err = errors.Join(err, t.ledger.Close())
	}
	return err
}

// complete records that somebody has completed a download: mostly of a torrent
// that is known, sometimes of a new one.
func (t *tracker) complete(ctx context.Context) error {
	hash, count, err := t.pick(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(t.ledger, "%s %d\n", hash, count+1); err != nil {
		return err
	}
	if err := t.write(ctx, `INSERT INTO torrents(info_hash, completed) VALUES(?, 1) ON CONFLICT(info_hash) DO UPDATE SET completed = completed + 1`, hash); err != nil {
		return err
	}
	return t.write(ctx, `UPDATE torrent_aggregate_metrics SET value = value + 1 WHERE metric_name = ?`, totalMetric)
}

// pick returns a torrent and its count. There are gaps between the ids of a
// database that a tracker has written to.
func (t *tracker) pick(ctx context.Context) (hash string, count int64, err error) {
	if mrand.IntN(8) == 0 {
		fresh := make([]byte, 20)
		_, _ = rand.Read(fresh) // never fails
		return hex.EncodeToString(fresh), 0, nil
	}
	err = t.db.QueryRowContext(ctx, `SELECT info_hash, completed FROM torrents WHERE id >= ? ORDER BY id LIMIT 1`, 1+mrand.Int64N(t.last)).Scan(&hash, &count)
	return hash, count, err
}

// write commits one statement. A tracker that is refused for five seconds
// loses the write; this one counts that and insists, so that what it has
// written stays known.
func (t *tracker) write(ctx context.Context, statement string, arg any) error {
	for {
		began := time.Now()
		_, err := t.db.ExecContext(ctx, statement, arg)
		t.stats.LongestStall = max(t.stats.LongestStall, float64(time.Since(began).Microseconds())/1e3)
		if busy := (*sqlite.Error)(nil); errors.As(err, &busy) && busy.Code()&0xff == sqliteBusy {
			t.stats.Busy++
			continue
		}
		if err == nil {
			t.stats.Writes++
		}
		return err
	}
}
