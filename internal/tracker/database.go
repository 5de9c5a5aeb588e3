package tracker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// schema is the tracker's, as it stands since 2025.
const schema = `
CREATE TABLE whitelist (id INTEGER PRIMARY KEY AUTOINCREMENT, info_hash TEXT NOT NULL UNIQUE);
CREATE TABLE torrents (id INTEGER PRIMARY KEY AUTOINCREMENT, info_hash TEXT NOT NULL UNIQUE, completed INTEGER DEFAULT 0 NOT NULL);
CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, valid_until INTEGER);
CREATE TABLE torrent_aggregate_metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, metric_name TEXT NOT NULL UNIQUE, value INTEGER DEFAULT 0 NOT NULL);`

// totalMetric is the name of the only metric that the tracker keeps.
const totalMetric = "torrents_downloads_total"

// The size of a demo's database: about 100 MB.
const (
	TorrentRows   = 900_000
	whitelistRows = 30_000
)

// rows fills the tables in the proportions of the public demo tracker: 96.9 %
// of the torrents were never completed, most of the others once or twice, one
// of them 120 194 times. The hashes ascend, since SQLite appends those at a
// fraction of the cost of inserting them in random order.
const rows = `
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < :torrents-1)
INSERT INTO torrents(info_hash, completed)
SELECT printf('%08x', i*(4294967295/:torrents)) || lower(hex(randomblob(16))),
       CASE WHEN i = 0 THEN 120194 WHEN i%32 = 0 THEN 1 + i/32%2 ELSE 0 END FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < :whitelist-1)
INSERT INTO whitelist(info_hash) SELECT printf('%08x', i*(4294967295/:whitelist)) || lower(hex(randomblob(16))) FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < 9)
INSERT INTO keys(key, valid_until) SELECT lower(hex(randomblob(16))), 2000000000 + i FROM n;
INSERT INTO torrent_aggregate_metrics(metric_name, value) SELECT :metric, sum(completed) FROM torrents;`

// MakeDatabase makes a tracker's database at path, which must not exist.
func MakeDatabase(ctx context.Context, path string, torrents int) (err error) {
	// Nobody else knows the file yet: no journal, no waiting for the disk.
	db, err := openDatabase(path, "mode=rwc", "journal_mode(off)", "synchronous(off)", "locking_mode(exclusive)", "cache_size(-100000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if _, err := db.ExecContext(ctx, rows, sql.Named("torrents", torrents), sql.Named("whitelist", torrents*whitelistRows/TorrentRows), sql.Named("metric", totalMetric)); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	return nil
}

// openDatabase opens the file at path with one connection, so that pragmas
// hold for everything done with it.
func openDatabase(path, query string, pragmas ...string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query}
	q := u.Query()
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	u.RawQuery = q.Encode()
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}
