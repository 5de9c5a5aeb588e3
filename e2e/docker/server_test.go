// Package docker_test dumps a real MySQL and a real MariaDB in real containers,
// while they are written to, restores the dumps into empty servers, and
// compares.
package docker_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/container/dockerd"
)

// vendors are the servers that are tested.
var vendors = []string{"mysql", "mariadb"}

// password has every character that a shell, an option file, a URL, SQL or
// YAML gives a meaning to.
const password = `p"a\ss #'$x;` + "`" + `=%/@:?&*!|<>(){}[],~^ä€`

// startDaemon starts a Docker daemon that ends with the test. It is skipped
// unless REQUIRE_DOCKER is set: it takes more than a minute, and root.
func startDaemon(t *testing.T) *dockerd.Daemon {
	t.Helper()
	if os.Getenv("REQUIRE_DOCKER") == "" {
		t.Skip("for REQUIRE_DOCKER=1, as root, with e2e/docker/build-images done")
	}
	dir, err := os.MkdirTemp("", "runner-docker-") // short: it holds a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d, err := dockerd.Start(t.Context(), dir)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("dockerd said:\n%s", d.Log())
		}
		require.NoError(t, d.Close())
	})
	return d
}

// site is a server to dump, and one to restore into.
type site struct {
	t       *testing.T
	daemon  *dockerd.Daemon
	live    *dockerd.Server
	scratch *dockerd.Server
	runner  string
	project string // the folder of the compose project
}

// tables are those of a tracker, and one that takes a while to dump: it comes
// first, so that the others are read when much has been written since the
// snapshot.
const tables = `
CREATE TABLE aaa_padding (id INT PRIMARY KEY, text VARCHAR(200) NOT NULL);
CREATE TABLE torrents (id INT AUTO_INCREMENT PRIMARY KEY, info_hash VARCHAR(40) NOT NULL UNIQUE, completed INT NOT NULL DEFAULT 0);
CREATE TABLE torrent_aggregate_metrics (id INT AUTO_INCREMENT PRIMARY KEY, metric_name VARCHAR(50) NOT NULL UNIQUE, value INT NOT NULL DEFAULT 0);
CREATE TABLE ` + "`keys`" + ` (id INT AUTO_INCREMENT PRIMARY KEY, ` + "`key`" + ` VARCHAR(32) NOT NULL UNIQUE, valid_until INT, note VARBINARY(300));
INSERT INTO torrent_aggregate_metrics (metric_name, value) VALUES ('torrents_downloads_total', 0);
`

// oddRows are values that a careless dump changes.
const oddRows = "INSERT INTO `keys` (`key`, valid_until, note) VALUES ('a', NULL, ''), ('b', 0, UNHEX('00FF0A0D1A5C2722')), ('ä€𝄞', -1, REPEAT(';\\n-- Dump completed\\n', 10));\n"

// driver makes the state after n writes a function of n: what a dump holds can
// be made again and compared.
const driver = `
CREATE DATABASE driver;
USE driver;
DELIMITER //
CREATE PROCEDURE step(n INT)
BEGIN
  INSERT INTO torrust_tracker.torrents (id, info_hash) VALUES (n, LEFT(SHA2(n, 256), 40));
  UPDATE torrust_tracker.torrents SET completed = completed + 1 WHERE id = 1 + (n * 7) MOD n;
  UPDATE torrust_tracker.torrent_aggregate_metrics SET value = n;
END //
CREATE PROCEDURE steps(n INT, last INT)
BEGIN
  WHILE n <= last DO
    START TRANSACTION;
    CALL step(n);
    COMMIT;
    SET n = n + 1;
  END WHILE;
END //
CREATE PROCEDURE replay(last INT)
BEGIN
  DECLARE n INT DEFAULT 1;
  START TRANSACTION;
  WHILE n <= last DO
    CALL step(n);
    SET n = n + 1;
  END WHILE;
  COMMIT;
END //
DELIMITER ;
`

// padding is how many rows the first table has.
const padding = 50_000

func fill(rows int) string {
	return strings.NewReplacer("ROWS", strconv.Itoa(rows)).Replace(`
INSERT INTO aaa_padding SELECT a.n * 1000 + b.n, REPEAT(CHAR(97 + b.n MOD 26), 150)
FROM (WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < ROWS DIV 1000 - 1) SELECT n FROM s) a,
     (WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 999) SELECT n FROM s) b;
`)
}

func newSite(t *testing.T, d *dockerd.Daemon, vendor, runner string) *site {
	t.Helper()
	ctx := t.Context()
	project := t.TempDir()
	live, err := d.Serve(ctx, dockerd.Server{Name: vendor, Vendor: vendor, Root: "root " + password, User: "torrust", Password: password},
		"--label", "com.docker.compose.service="+vendor, "--label", "com.docker.compose.project=torrust",
		"--label", "com.docker.compose.project.working_dir="+project)
	require.NoError(t, err)
	scratch, err := d.Serve(ctx, dockerd.Server{Name: vendor + "-scratch", Vendor: vendor, Root: "r", User: "u", Password: "p"})
	require.NoError(t, err)
	s := &site{t: t, daemon: d, live: live, scratch: scratch, runner: runner, project: project}
	s.sql(live, dockerd.Database, tables+oddRows+fill(padding)+driver)
	s.sql(scratch, dockerd.Database, tables+oddRows+fill(padding)+driver)
	return s
}

func (s *site) sql(server *dockerd.Server, database, statements string) string {
	s.t.Helper()
	out, err := server.SQL(s.t.Context(), database, statements)
	require.NoError(s.t, err)
	return strings.TrimSpace(out)
}

// write writes without a pause until stop is called.
func (s *site) write(from int) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.live.SQL(ctx, "driver", "CALL steps("+strconv.Itoa(from)+", 100000000)")
	}()
	return func() {
		// The client's end does not end the procedure.
		for _, id := range strings.Fields(s.sql(s.live, "", "SELECT id FROM information_schema.processlist WHERE db = 'driver'")) {
			s.sql(s.live, "", "KILL "+id)
		}
		<-ended
		cancel()
	}
}

// build builds the runner once.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "runner")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../../cmd/runner").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// run runs the runner on this machine as its only host.
func (s *site) run(playbook, store string, flags ...string) (string, error) {
	args := append([]string{"run", playbook, "-i", "tracker,", "-e", "ansible_connection=local", "--store", store}, flags...)
	cmd := exec.CommandContext(s.t.Context(), s.runner, args...)
	cmd.Env = append(os.Environ(), s.daemon.Env())
	out, err := cmd.CombinedOutput()
	return string(out), err
}
