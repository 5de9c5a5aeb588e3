package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/tasks"
)

// proofs bounds how many databases are examined at once in this process: each
// takes a core, and some memory.
var proofs = make(chan struct{}, 2)

// Prove implements pipe.SpoolSource.
func (t *task) Prove(ctx context.Context, h tasks.Host, path string) (out []catalog.Proof, err error) {
	select {
	case t.prover <- struct{}{}:
		defer func() { <-t.prover }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	h.Progress(tasks.Progress{Phase: "checking"})
	// immutable: SQLite takes no lock and looks for no journal.
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "mode=ro&immutable=1&_pragma=cache_size(-16000)&_pragma=mmap_size(0)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := integrity(ctx, db); err != nil {
		return nil, err
	}
	out = append(out, catalog.Proof{Name: "integrity_check", Result: catalog.Passed})
	for _, c := range t.Checks {
		proof, err := c.prove(ctx, db)
		if err != nil {
			return nil, err
		}
		out = append(out, proof)
	}
	return out, nil
}

func integrity(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `PRAGMA integrity_check(10)`)
	if err != nil {
		return fmt.Errorf("integrity_check: %w", err)
	}
	defer rows.Close()
	var said []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("integrity_check: %w", err)
		}
		said = append(said, line)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("integrity_check: %w", err)
	}
	if len(said) != 1 || said[0] != "ok" {
		return &damaged{strings.Join(said, "; ")}
	}
	return nil
}

// damaged reports a copy that SQLite finds fault with. The copy is what the
// host has: so is the damage.
type damaged struct{ said string }

func (d *damaged) Error() string {
	return "the database is damaged, integrity_check says: " + d.said
}

// Hint says what to do about it.
func (*damaged) Hint() string {
	return "the copy is what the host has, so the database itself is damaged: keep older backups, and see https://sqlite.org/recovery.html"
}

func (c check) prove(ctx context.Context, db *sql.DB) (catalog.Proof, error) {
	var got sql.NullString
	err := db.QueryRowContext(ctx, c.Query).Scan(&got)
	if errors.Is(err, sql.ErrNoRows) {
		return catalog.Proof{}, fmt.Errorf("the check %q gives nothing, expected is %q", c.Query, c.Expect)
	}
	if err != nil {
		return catalog.Proof{}, fmt.Errorf("the check %q: %w", c.Query, err)
	}
	if got.String != c.Expect {
		return catalog.Proof{}, fmt.Errorf("the check %q gives %q, expected is %q", c.Query, got.String, c.Expect)
	}
	return catalog.Proof{Name: "check", Result: catalog.Passed, Detail: c.Query}, nil
}
