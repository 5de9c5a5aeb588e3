package tracker

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Verdict is what a backup of a database turned out to be.
type Verdict struct {
	Writes int64 // it is the state after so many completed downloads
}

// Judge restores the compressed backup at path and compares it with what the
// tracker has written. It trusts neither the copy nor its manifest: the copy
// must pass SQLite's own check and be exactly what the tracker had committed
// at one moment. The error says what is wrong.
func Judge(ctx context.Context, path string, l *Ledger, tmp string) (v Verdict, err error) {
	restored, err := decompress(path, tmp)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, os.Remove(restored)) }()
	db, err := openDatabase(restored, "mode=ro&immutable=1")
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var check string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&check); err != nil {
		return v, fmt.Errorf("integrity_check: %w", err)
	}
	if check != "ok" {
		return v, fmt.Errorf("integrity_check: %s", check)
	}
	return compare(ctx, db, l)
}

// compare finds the moment that db shows, and checks that it is one: the
// torrents' counts say how many writes have been made, the total may be one
// behind, since it is written after, and every torrent that the tracker ever
// wrote has the count of that moment.
func compare(ctx context.Context, db *sql.DB, l *Ledger) (Verdict, error) {
	var sum, total int64
	err := db.QueryRowContext(ctx, `SELECT sum(completed), (SELECT value FROM torrent_aggregate_metrics WHERE metric_name = ?) FROM torrents`, totalMetric).Scan(&sum, &total)
	if err != nil {
		return Verdict{}, err
	}
	n := sum - l.sum
	if n < 0 || n > int64(len(l.entries)) {
		return Verdict{}, fmt.Errorf("it has the downloads of no moment: %d more than at first, the tracker wrote %d", n, len(l.entries))
	}
	if behind := n - (total - l.total); behind != 0 && behind != 1 {
		return Verdict{}, fmt.Errorf("its total of downloads is %d behind its torrents: two moments are mixed", behind)
	}
	get, err := db.PrepareContext(ctx, `SELECT completed FROM torrents WHERE info_hash = ?`)
	if err != nil {
		return Verdict{}, err
	}
	defer get.Close()
	for hash, want := range l.countsAfter(n) {
		var got int64 // 0 of a torrent that is not there yet
		if err := get.QueryRowContext(ctx, hash).Scan(&got); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return Verdict{}, err
		}
		if got != want {
			return Verdict{}, fmt.Errorf("torrent %s has %d downloads, it had %d after write %d", hash, got, want, n)
		}
	}
	return Verdict{Writes: n}, nil
}

// decompress writes the content of a backup to a new file in dir.
func decompress(path, dir string) (restored string, err error) {
	src, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer src.Close()
	var r io.Reader = bufio.NewReaderSize(src, 1<<20)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return "", fmt.Errorf("decompress %s: %w", path, err)
		}
	}
	dst, err := os.CreateTemp(dir, ".judged-*.db")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(dst, r)
	if err = errors.Join(err, dst.Close()); err != nil {
		return "", fmt.Errorf("decompress %s: %w", path, errors.Join(err, os.Remove(dst.Name())))
	}
	return dst.Name(), nil
}
