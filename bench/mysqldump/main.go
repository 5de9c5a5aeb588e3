// Command mysqldump measures how long it takes to bring the dump of a database
// server home by two ways, side by side in one run: the runner, which proves the
// dump whole; and `ssh host 'docker exec … mysqldump | gzip -1' > file`, which
// does not. The server is a real one in a container of this machine, the host is
// the system's sshd on a loopback port.
//
// It prints medians and ratios. See docs/benchmarks.md. It needs root, dockerd,
// and the images of e2e/docker/build-images.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/torrust/runner/internal/conn/opensshd"
	"github.com/torrust/runner/internal/container/dockerd"
)

type options struct {
	runner string
	rows   int
	runs   int
}

func main() {
	var o options
	flag.StringVar(&o.runner, "runner", "bin/runner", "the runner to measure")
	flag.IntVar(&o.rows, "torrents", 3_000_000, "rows of the database; 16 of them are about 1 kB of dump")
	flag.IntVar(&o.runs, "runs", 5, "how often each way is measured")
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
	daemon, err := dockerd.Start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, daemon.Close()) }()
	ssh := filepath.Join(dir, "ssh")
	if err := os.Mkdir(ssh, 0o755); err != nil {
		return err
	}
	server, err := opensshd.Start(ctx, opensshd.Config{Dir: ssh, Env: []string{daemon.Env()}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	for _, vendor := range []string{"mysql", "mariadb"} {
		db, err := daemon.Serve(ctx, dockerd.Server{Name: vendor, Vendor: vendor, Root: "r", User: "torrust", Password: "p"})
		if err != nil {
			return err
		}
		if _, err := db.SQL(ctx, dockerd.Database, fill(o.rows)); err != nil {
			return err
		}
		b := bench{o: o, dir: dir, ssh: server, db: db}
		if err := b.compare(ctx); err != nil {
			return err
		}
		if _, err := daemon.Docker(ctx, "rm", "--force", vendor); err != nil {
			return err
		}
	}
	return nil
}

// fill makes the tracker's biggest table, with counters as the Torrust demo has
// them: most are 0.
func fill(rows int) string {
	const digits = "(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 999) SELECT n FROM s)"
	return strings.NewReplacer("ROWS", strconv.Itoa(rows), "DIGITS", digits).Replace(`
CREATE TABLE torrents (id INT AUTO_INCREMENT PRIMARY KEY, info_hash VARCHAR(40) NOT NULL UNIQUE, completed INT NOT NULL DEFAULT 0);
INSERT INTO torrents (info_hash, completed)
SELECT LEFT(SHA2(a.n * 1000000 + b.n * 1000 + c.n, 256), 40), IF(c.n MOD 32 = 0, c.n, 0)
FROM DIGITS a, DIGITS b, DIGITS c WHERE a.n * 1000000 + b.n * 1000 + c.n < ROWS AND a.n <= ROWS DIV 1000000;
`)
}

type bench struct {
	o   options
	dir string
	ssh *opensshd.Server
	db  *dockerd.Server
}

// playbook does what the other way does, and proves it.
const playbook = `- hosts: all
  tasks:
    - pipe:
        - mysqldump: { container: NAME }
        - gzip: { level: 1 }
        - fetch: { dest: mysql.sql.gz }
`

// result is what one run took.
type result struct {
	took   time.Duration
	memory int64 // MB at most, of the program on the controller
	bytes  int64 // that came home
}

func (b *bench) compare(ctx context.Context) error {
	ways := []struct {
		name string
		run  func(context.Context) (result, error)
	}{
		{"runner", b.runner},
		{"ssh docker exec mysqldump | gzip -1", b.plain},
	}
	results := make([][]result, len(ways))
	for i := range b.o.runs + 1 {
		for w, way := range ways {
			r, err := way.run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
			if i > 0 { // the first run warms the server's cache, and pushes the helper
				results[w] = append(results[w], r)
			}
		}
	}
	fmt.Printf("\n%s, %d rows, %d runs of each way, in turn; medians.\n", b.db.Vendor, b.o.rows, b.o.runs)
	base := median(results[0])
	for w, way := range ways {
		m := median(results[w])
		fmt.Printf("  %-38s %6.2f s  %5.2f of the runner's  %4d MB home  %3d MB of memory\n",
			way.name, m.took.Seconds(), m.took.Seconds()/base.took.Seconds(), m.bytes>>20, m.memory)
	}
	return nil
}

func median(list []result) result {
	slices.SortFunc(list, func(a, b result) int { return int(a.took - b.took) })
	return list[len(list)/2]
}

func (b *bench) runner(ctx context.Context) (result, error) {
	inventory, book := filepath.Join(b.dir, "inventory.yml"), filepath.Join(b.dir, "backup.yml")
	store, err := os.MkdirTemp(b.dir, "store-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(store)
	err = errors.Join(
		os.WriteFile(inventory, []byte(b.ssh.Inventory("host", "/nowhere")), 0o600),
		os.WriteFile(book, []byte(strings.ReplaceAll(playbook, "NAME", b.db.Name)), 0o600))
	if err != nil {
		return result{}, err
	}
	return timed(exec.CommandContext(ctx, b.o.runner, "run", book, "-i", inventory, "--store", store), filepath.Join(store, "host", "latest", "mysql.sql.gz"))
}

func (b *bench) plain(ctx context.Context) (result, error) {
	file := filepath.Join(b.dir, "dump.sql.gz")
	defer os.Remove(file)
	remote := fmt.Sprintf("docker exec --env MYSQL_PWD=%s %s %s --user=root --single-transaction --quick --no-tablespaces --routines --triggers --events %s | gzip -1",
		b.db.Root, b.db.Name, map[string]string{"mysql": "mysqldump", "mariadb": "mariadb-dump"}[b.db.Vendor], dockerd.Database)
	cmd := exec.CommandContext(ctx, "sh", "-c", `exec ssh "$@" >"$0"`, file, "-i", b.ssh.Key, "-p", strconv.Itoa(b.ssh.Port),
		"-o", "UserKnownHostsFile="+b.ssh.KnownHosts, "-o", "IdentitiesOnly=yes", b.ssh.User.Username+"@127.0.0.1", remote)
	return timed(cmd, file)
}

// timed runs a command that makes a file.
func timed(cmd *exec.Cmd, file string) (result, error) {
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("%w: %s", err, out)
	}
	took := time.Since(began)
	info, err := os.Stat(file)
	if err != nil {
		return result{}, err
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return result{took: took, memory: usage.Maxrss >> 10, bytes: info.Size()}, nil
}
