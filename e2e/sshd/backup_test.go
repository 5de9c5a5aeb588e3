// Package sshd_test runs the built runner against the system's sshd, as an
// ordinary user of it, and judges what it brings home.
package sshd_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn/opensshd"
	"github.com/torrust/runner/internal/tracker"
)

// size is how much there is to do: REQUIRE_SSHD, as in CI, asks for all.
type size struct {
	runs     int
	torrents int // 9 of them are about 1 kB
	padding  int // MB of the big database
}

func sizes() size {
	if os.Getenv("REQUIRE_SSHD") != "" {
		return size{runs: 20, torrents: 1_800_000, padding: 1000}
	}
	return size{runs: 2, torrents: 100_000, padding: 60}
}

// maxRSS is what the runner may use of the controller's memory, in MB,
// whatever the size of a backup.
const maxRSS = 100

func TestBackups(t *testing.T) {
	server, want := startServer(t), sizes()
	runner := build(t)
	t.Run("every run brings a whole copy", func(t *testing.T) {
		wholeCopies(t, newSite(t, server, want.torrents), runner, want.runs)
	})
	t.Run("every run brings a whole copy in WAL mode", func(t *testing.T) {
		wholeCopies(t, newSite(t, server, want.torrents/4), runner, want.runs/2, "--journal=wal")
	})
	t.Run("memory does not grow with the size", func(t *testing.T) {
		s := newSite(t, server, 20_000)
		pad(t, s.database, want.padding)
		s.start(t, runner)
		rss := s.backUp(t, runner, t.TempDir())
		t.Logf("the runner has used %d MB at most for a database of %d MB", rss, want.padding)
		assert.Less(t, rss, int64(maxRSS), "MB")
		_, err := s.track.Stop()
		require.NoError(t, err)
	})
}

// wholeCopies backs a database up under a tracker that writes without a pause,
// and judges each copy.
func wholeCopies(t *testing.T, s *site, runner string, runs int, flags ...string) {
	t.Helper()
	s.start(t, runner, append(flags, "--every=0s")...)
	before := s.files(t)
	for i := range runs {
		store := t.TempDir()
		s.backUp(t, runner, store)
		backup := filepath.Join(store, host, "latest", "sqlite.db.gz")
		out, err := exec.CommandContext(t.Context(), "gunzip", "-t", backup).CombinedOutput()
		require.NoError(t, err, "gunzip: %s", out)
		ledger, err := tracker.ReadLedger(s.ledger)
		require.NoError(t, err)
		verdict, err := tracker.Judge(t.Context(), backup, ledger, t.TempDir())
		require.NoError(t, err, "run %d", i)
		t.Logf("run %d is the state after %d downloads", i, verdict.Writes)
		require.NoError(t, os.RemoveAll(store))
	}
	stats, err := s.track.Stop()
	require.NoError(t, err)
	assert.Zero(t, stats.Busy, "writes refused")
	assert.Positive(t, stats.Writes)
	t.Logf("the tracker made %d writes, none was refused, the longest took %.0f ms", stats.Writes, stats.LongestStall)
	assert.Subset(t, before, s.files(t), "nothing is left on the host but the helper")
}

const host = "tracker-1"

// site is a host with a tracker that writes.
type site struct {
	server                           *opensshd.Server
	dir, inventory, database, ledger string
	track                            *tracker.Process
}

func newSite(t *testing.T, server *opensshd.Server, torrents int) *site {
	t.Helper()
	dir := publicDir(t)
	torrust := filepath.Join(dir, "torrust")
	s := &site{
		server: server, dir: dir, inventory: filepath.Join(dir, "inventory.yml"),
		database: filepath.Join(torrust, tracker.DatabasePath), ledger: filepath.Join(dir, "ledger"),
	}
	require.NoError(t, tracker.WriteLayout(torrust, host))
	require.NoError(t, tracker.MakeDatabase(t.Context(), s.database, torrents))
	give(t, server, torrust)
	require.NoError(t, os.WriteFile(s.inventory, []byte(server.Inventory(host, torrust)), 0o600))
	return s
}

func (s *site) start(t *testing.T, runner string, flags ...string) {
	t.Helper()
	var err error
	s.track, err = tracker.Start(t.Context(), append([]string{runner, "simulate-tracker"}, flags...), s.database, s.ledger)
	require.NoError(t, err)
	t.Cleanup(s.track.Kill)
}

// backUp makes one backup set and returns how much memory it took, in MB.
func (s *site) backUp(t *testing.T, runner, store string) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), runner, "run", "../../playbooks/backup-sqlite.yml", "-i", s.inventory, "--store", store)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for most := int64(0); ; {
		select {
		case err := <-ended:
			require.NoError(t, err, "%s", out.String())
			return most >> 10
		case <-tick.C:
			if kB := highWater(cmd.Process.Pid); kB > 0 {
				most = kB
			}
		}
	}
}

// highWater returns the most memory that a process has had, in kB; 0 if it has
// ended. getrusage(2) would count what this process had when it made the
// other.
func highWater(pid int) (kB int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if n, err := fmt.Sscanf(line, "VmHWM: %d kB", &kB); n == 1 && err == nil {
			return kB
		}
	}
	return 0
}

// files lists what there is on the host besides the helper: around the
// database, and in the home of who logs in if that is nobody's desk.
func (s *site) files(t *testing.T) []string {
	t.Helper()
	dirs := []string{s.dir}
	if os.Getenv("SSHD_USER") != "" {
		dirs = append(dirs, s.server.User.HomeDir)
	}
	var all []string
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), "helper-") && !sqliteOwn(path) {
				all = append(all, path)
			}
			if errors.Is(err, fs.ErrNotExist) { // the journal is made and removed all the time
				return nil
			}
			return err
		}))
	}
	return all
}

// sqliteOwn tells whether SQLite makes and removes a file beside a database.
func sqliteOwn(path string) bool {
	return strings.HasSuffix(path, "-journal") || strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm")
}

// pad makes a database longer by so many MB.
func pad(t *testing.T, path string, mb int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(off)")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), `CREATE TABLE padding (x BLOB)`)
	require.NoError(t, err)
	for range mb {
		_, err := db.ExecContext(t.Context(), `INSERT INTO padding VALUES (randomblob(1000000))`)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

// build builds the runner as `make build` does.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "runner")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "../../cmd/runner")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}
