// Command sqlite measures how long it takes to bring a tracker's database home
// by three ways, side by side in one run: the runner; a plain read over ssh,
// which is not a copy of a database that is written to; and SQLite's own
// online backup with gzip and scp. The host is the system's sshd on a loopback
// port. Each copy is compared with what the tracker wrote.
//
// It prints medians and ratios. See docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/torrust/runner/internal/conn/opensshd"
	"github.com/torrust/runner/internal/tracker"
)

type options struct {
	runner   string
	torrents int
	runs     int
	every    time.Duration
	deadline time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.runner, "runner", "bin/runner", "the runner to measure")
	flag.IntVar(&o.torrents, "torrents", 2*tracker.TorrentRows, "rows of the database; 9 of them are about 1 kB")
	flag.IntVar(&o.runs, "runs", 5, "how often each way is measured")
	flag.DurationVar(&o.every, "every", tracker.Usual, "time between two downloads that the tracker notes")
	flag.DurationVar(&o.deadline, "deadline", time.Minute, "when a copy is given up")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "runner-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := opensshd.Start(ctx, opensshd.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	b, err := newBench(ctx, o, dir, server)
	if err != nil {
		return err
	}
	fmt.Printf("A database of %d MB, %d runs of each way, in turn; medians.\n", b.size>>20, o.runs)
	if err := b.compare(ctx, "Nobody writes", false); err != nil {
		return err
	}
	return b.compare(ctx, fmt.Sprintf("A tracker writes, a download each %s", o.every), true)
}

// bench is a host with a database, and the controller's folder.
type bench struct {
	o                options
	server           *opensshd.Server
	dir              string // of the controller
	database, ledger string
	inventory        string
	playbook         string
	size             int64
}

// playbook does what the other ways do, and no more.
const playbook = `- hosts: all
  tasks:
    - pipe:
        - sqlite_copy: { src: "{{ torrust_root }}/` + tracker.DatabasePath + `" }
        - gzip: { level: 1 }
        - fetch: { dest: sqlite.db.gz }
`

func newBench(ctx context.Context, o options, dir string, server *opensshd.Server) (*bench, error) {
	torrust := filepath.Join(dir, "host")
	b := &bench{
		o: o, server: server, dir: dir,
		database: filepath.Join(torrust, tracker.DatabasePath), ledger: filepath.Join(dir, "ledger"),
		inventory: filepath.Join(dir, "inventory.yml"), playbook: filepath.Join(dir, "backup.yml"),
	}
	if err := tracker.WriteLayout(torrust, "host"); err != nil {
		return nil, err
	}
	if err := tracker.MakeDatabase(ctx, b.database, o.torrents); err != nil {
		return nil, err
	}
	st, err := os.Stat(b.database)
	if err != nil {
		return nil, err
	}
	b.size = st.Size()
	return b, errors.Join(
		os.WriteFile(b.inventory, []byte(server.Inventory("host", torrust)), 0o600),
		os.WriteFile(b.playbook, []byte(playbook), 0o600))
}
