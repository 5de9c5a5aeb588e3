// Package sqlitecopy owns copying a live SQLite database page by page without
// keeping its writers waiting for longer than it takes to find what they
// changed. One end runs on the host and sends, the other receives. There is
// no SQLite library in it: only the file format and the locks.
//
// It never knows SSH, nor how its stream is carried.
//
// The copy of a database in rollback-journal mode goes like this. All of the
// file is read and sent without any lock, and each page hashed as it was sent;
// then again, sending what changed meanwhile. Then a SHARED lock is taken,
// which no writer can write under (https://sqlite.org/lockingv3.html), every
// page is hashed at memory speed, and those whose hash differs from what was
// sent are kept in memory; the lock is released before they are sent. Every
// page of the result has the hash that the file's page had under the lock, so
// the result is what the file was then: a committed state, unless a hot
// journal says otherwise, which is looked for under the lock, too.
//
// A database in WAL mode changes only by checkpoints, while transactions
// gather in its log (https://sqlite.org/wal.html). A shared lock keeps
// checkpoints from happening, and no writer waits for it. Under it the file is
// sent, and then the newest frame of each page up to the last commit that the
// wal-index knows. The result is one plain file.
package sqlitecopy

import (
	"fmt"
	"time"
)

// Op is the name of the operation for the helper.
const Op = "sqlite_copy"

// Params say what is copied, and what may be asked of the database's writers.
type Params struct {
	Path string `json:"path"`
	// MaxLock is for how long the lock may be held: a lock that would last
	// longer is not taken. One that lasts for half as much again is given up.
	MaxLock time.Duration `json:"max_lock"`
	// LockWait is how long to wait for the lock.
	LockWait time.Duration `json:"lock_wait"`
}

// The defaults of Params. A tracker waits for five seconds for a lock.
const (
	DefaultMaxLock  = time.Second
	DefaultLockWait = 10 * time.Second
)

// Trailer ends a copy: what the receiver must have then, and how it went.
type Trailer struct {
	Method        string  `json:"method"` // MethodIdle, MethodDelta or MethodWAL
	Size          int64   `json:"size"`   // bytes
	PageSize      int     `json:"page_size"`
	ChangeCounter uint32  `json:"change_counter"`
	Seed          uint64  `json:"seed"`   // of the page hashes
	Digest        string  `json:"digest"` // SHA-256 of the hashes of all pages, lower-case hex
	LockHeldMS    float64 `json:"lock_held_ms"`
	LockWaitMS    float64 `json:"lock_wait_ms"`
	Passes        int     `json:"passes"`        // over the whole file, without a lock
	PatchedPages  int     `json:"patched_pages"` // that had changed when the lock was taken
	Attempts      int     `json:"attempts"`      // at the lock
	// CheckpointsHeldMS is for how long checkpoints of a database in WAL mode
	// were kept from happening. No writer waits for that.
	CheckpointsHeldMS float64 `json:"checkpoints_held_ms,omitempty"`
}

// The methods.
const (
	MethodIdle  = "unlocked"     // nobody wrote while it was read
	MethodDelta = "locked-delta" // what changed was found under the lock
	MethodWAL   = "wal"          // the file while nobody checkpointed, and the log over it
)

// The codes of the errors that only a database can have; see also package
// helper's.
const (
	CodeNotDatabase = "not_a_database"
	CodeWAL         = "wal_mode" // the file and its log contradict each other
	CodeHotJournal  = "hot_journal"
	CodeBudget      = "lock_budget"
	CodeLocked      = "locked"
	CodeReplaced    = "replaced"
	CodeUnsafeFS    = "unsafe_file_system"
)

// Error is a reason not to copy.
type Error struct{ Code, Msg string }

// Error implements error.
func (e *Error) Error() string { return e.Msg }

func refuse(code, format string, args ...any) error {
	return &Error{code, fmt.Sprintf(format, args...)}
}
