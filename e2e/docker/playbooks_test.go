package docker_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/container/dockerd"
)

// makeProject makes a compose project of the server and of a tracker that knows
// it, as the Torrust deployer makes one. The tracker ends by SIGINT only.
func (s *site) makeProject(t *testing.T) {
	t.Helper()
	compose := strings.NewReplacer("SERVER", s.live.Vendor).Replace(`services:
  tracker:
    image: torrust/tracker:develop
    container_name: tracker
    volumes: [./storage/tracker/etc:/etc/torrust/tracker:Z]
  SERVER:
    container_name: SERVER
`)
	require.NoError(t, os.MkdirAll(filepath.Join(s.project, "storage/tracker/etc"), 0o755))
	for name, text := range map[string]string{
		"docker-compose.yml":               compose,
		"storage/tracker/etc/tracker.toml": "[core.database]\ndriver = \"mysql\"\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(s.project, name), []byte(text), 0o600))
	}
	dsn := url.URL{Scheme: "mysql", User: url.UserPassword(s.live.User, s.live.Password), Host: s.live.Vendor + ":3306", Path: dockerd.Database}
	_, err := s.daemon.Docker(t.Context(), "run", "--detach", "--name", "tracker", "--network", "none",
		"--label", "com.docker.compose.service=tracker", "--label", "com.docker.compose.project=torrust",
		"--label", "com.docker.compose.project.working_dir="+s.project,
		"--env", "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER=mysql",
		"--env", "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__PATH="+dsn.String(),
		"--volume", filepath.Join(s.project, "storage/tracker/etc")+":/etc/torrust/tracker",
		"--entrypoint", "sh", s.live.Vendor, "-c", "trap 'exit 0' INT; trap '' TERM; while :; do sleep 0.1; done")
	require.NoError(t, err)
}

func (s *site) docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.daemon.Docker(t.Context(), args...)
	require.NoError(t, err)
	return strings.TrimSpace(out)
}

func (s *site) sum(t *testing.T, server *dockerd.Server, table string) string {
	t.Helper()
	return strings.Fields(s.sql(server, "", "CHECKSUM TABLE "+table))[1]
}

// shippedPlaybooks: everything is found out on the host; what was backed up can
// be put back, beside the live database and in its place.
func shippedPlaybooks(t *testing.T, s *site) {
	s.makeProject(t)
	defer s.docker(t, "rm", "--force", "tracker")
	store := t.TempDir()
	play := func(name string, flags ...string) string {
		t.Helper()
		out, err := s.run("../../playbooks/"+name, store, flags...)
		require.NoError(t, err, out)
		assert.NotContains(t, out, `p"a\ss`)
		return out
	}
	assert.Contains(t, play("preflight.yml"), "go: tracker in mysql")
	play("backup.yml")
	latest := filepath.Join(store, "tracker", "latest")
	assert.FileExists(t, filepath.Join(latest, "config.tar.gz"))
	writes, same := s.restore(t, filepath.Join(latest, "tracker.sql.gz"), 0)
	assert.True(t, same)
	assert.Positive(t, writes)
	play("check-backups.yml")

	play("restore-mysql.yml")
	for _, table := range compared {
		assert.Equal(t, s.sum(t, s.live, dockerd.Database+"."+table), s.sum(t, s.live, "runner_restore."+table), table)
	}
	assert.Equal(t, "true", s.docker(t, "inspect", "--format", "{{.State.Running}}", "tracker"))

	before := s.sum(t, s.live, dockerd.Database+".torrents")
	s.sql(s.live, dockerd.Database, "DELETE FROM torrents; DROP TABLE `keys`")
	started := s.docker(t, "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "tracker")
	play("restore-mysql.yml", "-e", "restore_in_place=true", "-e", "restore_file="+filepath.Join(latest, "tracker.sql.gz"))
	assert.Equal(t, before, s.sum(t, s.live, dockerd.Database+".torrents"))
	again := s.docker(t, "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", "tracker")
	assert.Equal(t, strings.Fields(started)[0], strings.Fields(again)[0], "it is the same container")
	assert.NotEqual(t, started, again, "it was stopped meanwhile")
	assert.Equal(t, "0", s.docker(t, "inspect", "--format", "{{.State.ExitCode}}", "tracker"), "it ended by itself")
	assert.FileExists(t, filepath.Join(latest, "tracker-before-restore.sql.gz"))

	// A dump that ends in mid-statement does not look restored.
	cut := filepath.Join(t.TempDir(), "cut.sql.gz")
	s.cut(t, filepath.Join(store, "tracker", "latest", "tracker-before-restore.sql.gz"), cut)
	out, err := s.run("../../playbooks/restore-mysql.yml", store, "-e", "restore_file="+cut)
	require.Error(t, err)
	assert.Contains(t, out, "failed=1")
	s.sql(s.live, "", "DROP DATABASE IF EXISTS runner_restore")
}

// cut makes a whole gzip file of half of what another one holds.
func (s *site) cut(t *testing.T, from, to string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `n=$(gzip -dc "$1" | wc -c) && gzip -dc "$1" | head -c $((n / 2)) | gzip >"$2"`, "sh", from, to).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
