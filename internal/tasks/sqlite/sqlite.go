// Package sqlite owns the task kind sqlite_copy: a whole copy of a live SQLite
// database, proven.
//
// It never knows how the pages come over; see package sqlitecopy.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/sqlitecopy"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/advice"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "sqlite_copy", Summary: "Copies a live SQLite database without stopping its writers.",
		New: func() tasks.Task { return &task{prover: proofs} }, Doc: doc,
	}
}

const doc = "A source of a pipe: the database file as it was at one moment, a state that was committed.\n\n" +
	"All of the file is read without a lock. Then a shared lock is held while the pages that have changed meanwhile are\n" +
	"found, at memory speed: tens of milliseconds for a database of 200 MB, about a second for 17 GB. Writers wait for that\n" +
	"long, readers do not. The lock is predicted, and not taken if it would last longer than `max_lock`; it is given up\n" +
	"after half as much again. A database to which nobody writes is not locked at all. Nothing is written to the host.\n\n" +
	"Of a database in WAL mode the file and its log are read under locks that no writer and no reader waits for; only\n" +
	"checkpoints are put off until the copy is over. The result is one file, with the log worked in.\n\n" +
	"On the controller the copy must have the page hashes and the change counter that the host saw under the lock, pass\n" +
	"`PRAGMA integrity_check`, and give what `checks` expect. Then only is it kept.\n\n" +
	"Refused by name: what is no database, one under a hot journal (a writer died in mid-transaction), one on a network\n" +
	"file system, one that would have to be locked for too long, one whose log has grown beyond 4 GiB.\n\n" +
	"Details in the manifest and in `details`: `lock_held_ms`, `lock_wait_ms`, `passes`, `patched_pages`, `attempts`,\n" +
	"`checkpoints_held_ms`, `page_size`, `database_bytes`, `change_counter`.\n\n" +
	"```yaml\n" +
	"- pipe:\n" +
	"    - sqlite_copy:\n" +
	"        src: /opt/torrust/storage/tracker/lib/database/tracker.db\n" +
	"        checks:\n" +
	"          - { query: \"SELECT count(*) FROM sqlite_master WHERE name = 'torrents'\", expect: \"1\" }\n" +
	"    - gzip:\n" +
	"    - fetch: { dest: sqlite.db.gz }\n" +
	"```\n"

type task struct {
	Src      string        `arg:"src,required" alias:"path" doc:"absolute path of the database on the host"`
	MaxLock  time.Duration `arg:"max_lock" default:"1s" doc:"for how long the database may be locked"`
	LockWait time.Duration `arg:"lock_wait" default:"10s" doc:"how long to wait for the lock"`
	Checks   []check       `arg:"checks" doc:"queries that must give what is expected"`

	prover chan struct{}
}

type check struct {
	Query  string `arg:"query,required" doc:"a query that gives one value"`
	Expect string `arg:"expect,required" doc:"that value, as text"`
}

var (
	_ pipe.SpoolSource = (*task)(nil)
	_ tasks.Validator  = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.Src != "" && !strings.HasPrefix(t.Src, "/") && !strings.Contains(t.Src, "{{"):
		return fmt.Errorf("src must be an absolute path, this is %q", t.Src)
	case t.MaxLock <= 0 || t.MaxLock > 4*time.Second:
		return errors.New("max_lock must be between 1ms and 4s: SQLite's writers give up after 5s")
	case t.LockWait <= 0:
		return errors.New("lock_wait must be more than nothing")
	}
	return nil
}

// Origin implements pipe.SpoolSource.
func (t *task) Origin() string { return t.Src }

// Run implements tasks.Task. The kind is for pipes; the plan sees to that.
func (t *task) Run(context.Context, tasks.Host) (tasks.Result, error) {
	return tasks.Result{}, errors.New("sqlite_copy is a source of a pipe")
}

// Spool implements pipe.SpoolSource.
func (t *task) Spool(ctx context.Context, h tasks.Host, spool *os.File) (pipe.Outcome, error) {
	info, err := h.Conn.Stat(ctx, t.Src)
	total := int64(0)
	if err == nil && info.Mode().IsRegular() {
		total = info.Size()
	}
	stream, err := h.Helper.Call(ctx, sqlitecopy.Op, sqlitecopy.Params{Path: t.Src, MaxLock: t.MaxLock, LockWait: t.LockWait})
	if err != nil {
		return pipe.Outcome{}, err
	}
	defer stream.Close()
	err = sqlitecopy.Receive(stream, spool, func(done int64) {
		h.Progress(tasks.Progress{Phase: "copying", Done: done, Total: max(total, done), Wire: stream.Wire()})
	})
	if err != nil {
		return pipe.Outcome{}, refusals.Explain(err)
	}
	var trailer sqlitecopy.Trailer
	if err := stream.Result(&trailer); err != nil {
		return pipe.Outcome{}, err
	}
	if err := sqlitecopy.Finish(spool, trailer); err != nil {
		return pipe.Outcome{}, err
	}
	return pipe.Outcome{
		Method: trailer.Method,
		Proofs: []catalog.Proof{{Name: "page_digest", Result: catalog.Passed, Detail: "the hash of every page is that which the host saw"}},
		Details: map[string]any{
			"lock_held_ms": trailer.LockHeldMS, "lock_wait_ms": trailer.LockWaitMS, "passes": trailer.Passes, "patched_pages": trailer.PatchedPages,
			"attempts": trailer.Attempts, "checkpoints_held_ms": trailer.CheckpointsHeldMS, "page_size": trailer.PageSize, "database_bytes": trailer.Size, "change_counter": int64(trailer.ChangeCounter),
		},
	}, nil
}

// refusals says what to do about a refusal of the host.
var refusals = advice.ByCode{
	helper.CodeNotFound:        "is the path right? On a deployed host it is /opt/torrust/storage/tracker/lib/database/tracker.db",
	helper.CodePermission:      "add become: true to the task, or let the login user read the file",
	sqlitecopy.CodeNotDatabase: "name the database file itself; an encrypted one cannot be copied",
	sqlitecopy.CodeWAL:         "look at the files beside the database; a log of another database must go, with the tracker stopped",
	sqlitecopy.CodeHotJournal:  "start the tracker, or open the database once with sqlite3: either rolls the transaction back. Do not delete the journal",
	sqlitecopy.CodeBudget:      "allow a longer lock with max_lock (writers give up after 5s), run when the host is less busy, or stop the tracker for the copy",
	sqlitecopy.CodeLocked:      "does a program hold it with locking_mode=EXCLUSIVE, or write without a pause? Try later, or raise lock_wait",
	sqlitecopy.CodeReplaced:    "run it again when nobody restores or vacuums the database",
	sqlitecopy.CodeUnsafeFS:    "copy it with the tracker stopped",
}
