package sshd

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tracker"
	"github.com/torrust/runner/playbooks"
)

// backup is a tracker's database on a host, and the shipped playbook for it.
type backup struct {
	*host
	runner, playbook string
	database, ledger string
	store            string
	track            *tracker.Process // nil without a tracker
}

// newBackup makes a host with a database of so many torrents, to which a
// tracker writes without a pause if that is asked for.
func newBackup(t *testing.T, torrents int, track bool) *backup {
	t.Helper()
	b := &backup{host: startHost(t), runner: as(t, "runner"), store: t.TempDir()}
	root := filepath.Join(b.dir, "torrust")
	require.NoError(t, tracker.WriteLayout(root, "tracker-1"))
	b.database, b.ledger = filepath.Join(root, tracker.DatabasePath), filepath.Join(b.dir, "ledger")
	require.NoError(t, tracker.MakeDatabase(t.Context(), b.database, torrents))
	b.ownedByUser(t, root)
	b.playbook = filepath.Join(b.dir, "backup-sqlite.yml")
	require.NoError(t, os.WriteFile(b.playbook, playbooks.BackupSQLite, 0o600))
	if track {
		var err error
		b.track, err = tracker.Start(t.Context(), []string{as(t, "tracker"), "0s"}, b.database, b.ledger)
		require.NoError(t, err)
		t.Cleanup(b.track.Kill)
	}
	return b
}

// ownedByUser gives the files of the host to its user, as they are on a real
// one.
func (b *backup) ownedByUser(t *testing.T, root string) {
	t.Helper()
	if os.Getuid() == 0 {
		out, err := exec.CommandContext(t.Context(), "chown", "-R", b.user, root).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// run runs the playbook and returns what it cost.
func (b *backup) run(t *testing.T, args ...string) (stdout, stderr string, usage *syscall.Rusage, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), b.runner, append([]string{"run", b.playbook, "-i", b.inventory, "--store", b.store}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "SSH_AUTH_SOCK=")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	_ = cmd.Run() // the code tells
	usage, _ = cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return out.String(), errOut.String(), usage, cmd.ProcessState.ExitCode()
}

// artifact returns the path of an artifact in the newest set.
func (b *backup) artifact(name string) string {
	return filepath.Join(b.store, "tracker-1", "latest", name)
}

// TestBackupUnderFullWrites is the promise: whatever the tracker writes, what
// comes home is a state that the database had, and the tracker is not
// refused.
func TestBackupUnderFullWrites(t *testing.T) {
	torrents, times := 100_000, 2
	if whole() {
		torrents, times = 1_800_000, 20 // 200 MB
	}
	b := newBackup(t, torrents, true)
	for i := range times {
		stdout, stderr, _, code := b.run(t)
		require.Zero(t, code, "run %d\n%s%s", i, stdout, stderr)
		ledger, err := tracker.ReadLedger(b.ledger)
		require.NoError(t, err)
		verdict, err := tracker.Judge(t.Context(), b.artifact("sqlite.db.gz"), ledger, t.TempDir())
		require.NoError(t, err, "run %d", i)
		out, err := exec.CommandContext(t.Context(), "gunzip", "-t", b.artifact("sqlite.db.gz")).CombinedOutput()
		require.NoError(t, err, string(out))
		t.Logf("run %d: the state after write %d", i, verdict.Writes)
		require.NoError(t, os.RemoveAll(b.store))
	}
	stats, err := b.track.Stop()
	require.NoError(t, err)
	assert.Zero(t, stats.Busy, "writes refused with SQLITE_BUSY")
	st, err := os.Stat(b.database)
	require.NoError(t, err)
	t.Logf("%d of %d copies whole; database of %d MB; the tracker made %d writes, %d refused, longest %.0f ms", times, times, st.Size()/1e6, stats.Writes, stats.Busy, stats.LongestStall)
}

// TestMemory reports what the controller needs for a large database; it must
// not depend on the size.
func TestMemory(t *testing.T) {
	torrents := 100_000
	if whole() {
		torrents = 9_000_000 // 1 GB
	}
	b := newBackup(t, torrents, false)
	stdout, stderr, usage, code := b.run(t, "--output", "json")
	require.Zero(t, code, stdout+stderr)
	st, err := os.Stat(b.database)
	require.NoError(t, err)
	t.Logf("database of %d MB: the controller needed %d MB at most", st.Size()/1e6, usage.Maxrss>>10)
	assert.Less(t, usage.Maxrss>>10, int64(100), "MB")
	var last struct {
		Type string `json:"type"`
	}
	lines := bytes.Split(bytes.TrimSpace([]byte(stdout)), []byte("\n"))
	require.NoError(t, json.Unmarshal(lines[len(lines)-1], &last))
	assert.Equal(t, "run_finished", last.Type)
}
