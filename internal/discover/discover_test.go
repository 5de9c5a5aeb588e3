package discover

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree writes files below a new folder, with DIR in them replaced by it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600))
	}
	return dir
}

// header is the beginning of a SQLite file; version 2 is WAL.
func header(version byte) string {
	h := make([]byte, 100)
	copy(h, "SQLite format 3\x00\x10\x00")
	h[18], h[19] = version, version
	return string(h)
}

// noEngine is a name under which no engine is installed.
const noEngine = "/nowhere/docker"

const composeFile = `
services:
  tracker:
    image: torrust/tracker:develop
    container_name: tracker
    environment:
      - USER_ID=1000
      - TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER=${TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER}
      - TORRUST_TRACKER_CONFIG_TOML_PATH=${TORRUST_TRACKER_CONFIG_TOML_PATH}
      EXTRA
    volumes:
      - ./storage/tracker/lib:/var/lib/torrust/tracker:Z
      - ./storage/tracker/log:/var/log/torrust/tracker:Z
      - ./storage/tracker/etc:/etc/torrust/tracker:Z
  prometheus:
    volumes: [./storage/prometheus/etc:/etc/prometheus:Z]
  grafana:
    image: grafana/grafana:13.0.0
    volumes:
      - ./storage/grafana/data:/var/lib/grafana
      - ./storage/grafana/provisioning:/etc/grafana/provisioning:ro
  mysql:
    image: mysql:8.4
    container_name: mysql-1
    volumes: [./storage/mysql/data:/var/lib/mysql]
`

func composeWith(extra string) string { return strings.ReplaceAll(composeFile, "EXTRA", extra) }

// L1: the deployer with SQLite.
func layout1(journal byte) map[string]string {
	return map[string]string{
		"docker-compose.yml":               composeWith(""),
		".env":                             "TORRUST_TRACKER_CONFIG_TOML_PATH='/etc/torrust/tracker/tracker.toml'\nTORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER='sqlite3'\n",
		"storage/tracker/etc/tracker.toml": "[core.database]\ndriver = \"sqlite3\"\npath = \"/var/lib/torrust/tracker/database/tracker.db\"\n",
		"storage/tracker/lib/database/tracker.db": header(journal),
		"storage/prometheus/etc/prometheus.yml":   "x",
		"storage/grafana/provisioning/a.yml":      "x",
		"storage/grafana/data/grafana.db":         header(1),
	}
}

func find(t *testing.T, dir string) (Facts, error) {
	t.Helper()
	return Find(t.Context(), Params{Root: dir, Engine: noEngine})
}

func TestDeployerSQLite(t *testing.T) {
	t.Parallel()
	for version, journal := range map[byte]string{1: "rollback", 2: "wal"} {
		files := layout1(version)
		if version == 2 {
			files["storage/tracker/lib/database/tracker.db-wal"] = "12345"
		}
		dir := tree(t, files)
		f, err := find(t, dir)
		require.NoError(t, err)
		db := f.Databases[0]
		assert.Equal(t, Database{
			Name: "tracker", Driver: SQLite, Because: dir + "/docker-compose.yml (TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER)",
			Path: dir + "/storage/tracker/lib/database/tracker.db", Bytes: 100, Journal: journal, WALBytes: db.WALBytes,
		}, db)
		assert.Equal(t, version == 2, db.WALBytes == 5)
		assert.Equal(t, "grafana", f.Databases[1].Name)
		assert.Equal(t, dir+"/storage/grafana/data/grafana.db", f.Databases[1].Path)
		assert.Equal(t, []string{
			dir + "/.env", dir + "/docker-compose.yml", dir + "/storage/grafana/provisioning", dir + "/storage/prometheus/etc", dir + "/storage/tracker/etc",
		}, f.Config)
		assert.Positive(t, f.FreeBytes)
		require.Len(t, f.Notes, 1)
		assert.Contains(t, f.Notes[0], "what runs is not known")
	}
}

// L2: MySQL with the URL in .env. The empty tracker.db beside it says nothing.
func TestDeployerMySQL(t *testing.T) {
	t.Parallel()
	files := layout1(1)
	files["docker-compose.yml"] = composeWith("- TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__PATH=${TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__PATH}")
	files[".env"] = "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER='mysql'\nTORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__PATH='mysql://torrust:ge%2Fheim%40@mysql:3306/torrust_tracker'\n"
	files["storage/tracker/etc/tracker.toml"] = "[core.database]\ndriver = \"mysql\"\n"
	files["storage/tracker/lib/database/tracker.db"] = ""
	f, err := find(t, tree(t, files))
	require.NoError(t, err)
	db := f.Databases[0]
	db.Because = ""
	assert.Equal(t, Database{Name: "tracker", Driver: MySQL, Host: "mysql", Port: 3306, Database: "torrust_tracker", User: "torrust", Service: "mysql"}, db)
	assert.NotContains(t, fmt.Sprintf("%+v", f), "heim")
}

// L3: MySQL with the URL in tracker.toml.
func TestDeployerMySQLInTOML(t *testing.T) {
	t.Parallel()
	files := layout1(1)
	files[".env"] = "MYSQL_PASSWORD='geheim'\n"
	files["storage/tracker/etc/tracker.toml"] = "[core.database]\ndriver = \"mysql\"\npath = \"mysql://torrust:geheim@mysql-1:3306/torrust_tracker\"\n"
	dir := tree(t, files)
	f, err := find(t, dir)
	require.NoError(t, err)
	db := f.Databases[0]
	assert.Equal(t, dir+"/storage/tracker/etc/tracker.toml (core.database.driver)", db.Because)
	assert.Equal(t, []string{"mysql", "mysql-1", "torrust_tracker"}, []string{db.Service, db.Host, db.Database})
	assert.NotContains(t, fmt.Sprintf("%+v", f), "geheim")

	files["storage/tracker/etc/tracker.toml"] = "[core.database]\ndriver = \"postgresql\"\npath = \"postgresql://a:b@db.example.org/t\"\n"
	f, err = find(t, tree(t, files))
	require.NoError(t, err)
	assert.Equal(t, []string{PostgreSQL, "db.example.org", ""}, []string{f.Databases[0].Driver, f.Databases[0].Host, f.Databases[0].Service})
}

// L4: the old demo, with an index beside the tracker and older keys.
func TestOldDemo(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"compose.yaml": `
services:
  tracker:
    volumes: [./storage/tracker/lib:/var/lib/torrust/tracker, ./storage/tracker/etc:/etc/torrust/tracker]
  index:
    environment: {TORRUST_INDEX_CONFIG_TOML_PATH: /etc/torrust/index/index.toml}
    volumes: [./storage/index/lib:/var/lib/torrust/index, ./storage/index/etc:/etc/torrust/index]
  certbot:
    volumes: [./storage/certbot/etc:/etc/letsencrypt, /etc/localtime:/etc/localtime:ro]
`,
		"storage/tracker/etc/tracker.toml":          "[core]\ndb_driver = \"Sqlite3\"\ndb_path = \"/var/lib/torrust/tracker/database/sqlite3.db\"\n",
		"storage/tracker/lib/database/sqlite3.db":   header(1),
		"storage/index/etc/index.toml":              "[database]\nconnect_url = \"sqlite:///var/lib/torrust/index/database/sqlite3.db?mode=rwc\"\n",
		"storage/index/lib/database/sqlite3.db":     header(2),
		"storage/certbot/etc/live/tracker/cert.pem": "x",
	})
	f, err := find(t, dir)
	require.NoError(t, err)
	assert.Equal(t, dir+"/storage/tracker/lib/database/sqlite3.db", f.Databases[0].Path)
	assert.Equal(t, "index", f.Databases[1].Name)
	assert.Equal(t, dir+"/storage/index/lib/database/sqlite3.db", f.Databases[1].Path)
	assert.Equal(t, "wal", f.Databases[1].Journal)
	assert.Contains(t, f.Config, dir+"/storage/certbot/etc")
	assert.NotContains(t, f.Config, "/etc/localtime", "it is not the project's")
}

// TestContainerCounts: what runs was told by the environment that it was made
// with, whatever .env says by now.
func TestContainerCounts(t *testing.T) {
	t.Parallel()
	files := layout1(1)
	files[".env"] = "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER='mysql'\n"
	files["docker"] = `#!/bin/sh
case "$1 $*" in
"ps "*service=tracker*) echo 1 ;;
"ps "*working_dir=DIR) echo 1; echo 2 ;;
"inspect "*) cat DIR/inspect-$#.json ;;
"image "*) echo '[{"Id": "sha256:a", "RepoDigests": ["torrust/tracker@sha256:d"]}]' ;;
esac
`
	tracker := `{"Id": "1", "Name": "/tracker", "Image": "sha256:a", "State": {"Status": "running", "Health": {"Status": "healthy"}},
 "Mounts": [{"Source": "DIR/elsewhere", "Destination": "/var/lib/torrust/tracker"}],
 "Config": {"Image": "torrust/tracker:develop", "Env": ["TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER=sqlite3",
   "TORRUST_TRACKER_CONFIG_TOML=[core.database]\npath = '/var/lib/torrust/tracker/x.db'"],
  "Labels": {"com.docker.compose.service": "tracker", "com.docker.compose.project.working_dir": "DIR"}}}`
	files["inspect-4.json"] = "[" + tracker + "]"
	files["inspect-5.json"] = "[" + tracker + `, {"Id": "2", "Name": "/grafana", "Image": "sha256:b", "State": {"Status": "exited"}, "Config": {"Labels": {"com.docker.compose.service": "grafana"}}}]`
	files["elsewhere/x.db"] = header(2)
	dir := tree(t, files)
	require.NoError(t, os.Chmod(dir+"/docker", 0o700))
	f, err := Find(t.Context(), Params{Engine: dir + "/docker"})
	require.NoError(t, err)
	assert.Equal(t, dir, f.Root)
	assert.Equal(t, dir+"/elsewhere/x.db", f.Databases[0].Path)
	assert.Len(t, f.Databases, 1, "the container of Grafana has no data folder")
	assert.Equal(t, Container{"tracker", "tracker", "running", "healthy", "torrust/tracker:develop", "sha256:a", []string{"torrust/tracker@sha256:d"}}, f.Containers[1])
	require.Len(t, f.Notes, 1)
	assert.Contains(t, f.Notes[0], "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER has changed since")
}

func TestSeveralProjects(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"docker": `#!/bin/sh
case $1 in
ps) echo 1; echo 2 ;;
inspect) echo '[{"Id": "1", "Config": {"Labels": {"com.docker.compose.project.working_dir": "/a"}}}, {"Id": "2", "Config": {"Labels": {"com.docker.compose.project.working_dir": "/b"}}}]' ;;
esac
`})
	require.NoError(t, os.Chmod(dir+"/docker", 0o700))
	_, err := Find(t.Context(), Params{Engine: dir + "/docker"})
	refused(t, err, CodeSeveral, "/a, /b")
}

func TestBare(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"tracker.toml": "[core.database]\ndriver = 'sqlite3'\npath = 'DIR/tracker.db'\n", "tracker.db": header(1),
		"relative.toml": "[core.database]\ndriver = 'sqlite3'\npath = './tracker.db'\n",
	})
	f, err := Find(t.Context(), Params{Config: dir + "/tracker.toml"})
	require.NoError(t, err)
	assert.Equal(t, dir+"/tracker.db", f.Databases[0].Path)
	assert.Equal(t, []string{dir + "/tracker.toml"}, f.Config)
	_, err = Find(t.Context(), Params{Config: dir + "/relative.toml"})
	refused(t, err, CodeConfig, "depends on where the tracker is started")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	toml := "storage/tracker/etc/tracker.toml"
	for name, c := range map[string]struct {
		change map[string]string
		code   string
		says   string
	}{
		"no compose file":     {map[string]string{"docker-compose.yml": ""}, CodeNoTracker, "no compose file"},
		"no tracker":          {map[string]string{"docker-compose.yml": "services: {mysql: {}}\n"}, CodeNoTracker, "no service tracker"},
		"no driver":           {map[string]string{toml: "[core]\n", ".env": ""}, CodeConfig, "does not say which database"},
		"no path":             {map[string]string{toml: "[core]\n"}, CodeConfig, "not where the file is"},
		"no URL":              {map[string]string{toml: "[core.database]\npath = 'ge heim'\n", ".env": "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER=mysql\n"}, CodeConfig, "is no URL of a server"},
		"another driver":      {map[string]string{toml: "[core.database]\ndriver = 'oracle'\n", ".env": ""}, CodeConfig, `"oracle", which is not known`},
		"bad TOML":            {map[string]string{toml: "[core.database]\npath = geheim\n"}, CodeConfig, "is not TOML: line 2"},
		"in the container":    {map[string]string{toml: "[core.database]\npath = '/data/x.db'\n"}, CodeNowhere, "goes with the container"},
		"relative":            {map[string]string{toml: "[core.database]\npath = './x.db'\n"}, CodeConfig, "depends on where tracker is started"},
		"no file":             {map[string]string{toml: "[core.database]\npath = '/var/lib/torrust/tracker/none.db'\n"}, CodeConfig, "the database of tracker is not there"},
		"not for docker":      {map[string]string{".env": "A='geheim\nB\n"}, CodeConfig, "is not an environment file"},
		"not YAML":            {map[string]string{"docker-compose.yml": "services: [\n"}, CodeConfig, "docker-compose.yml:"},
		"a folder as its end": {map[string]string{toml: "[core.database]\npath = '/var/lib/torrust/tracker/database'\n"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := layout1(1)
			for path, text := range c.change {
				if files[path] = text; text == "" && path == "docker-compose.yml" {
					delete(files, path)
				}
			}
			f, err := find(t, tree(t, files))
			if c.code == "" {
				require.NoError(t, err)
				assert.Empty(t, f.Databases[0].Journal, "it is no database: its copy is refused")
				return
			}
			refused(t, err, c.code, c.says)
			assert.NotContains(t, err.Error(), "heim", "what may be a secret")
		})
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	err := failure(fmt.Errorf("%w", &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}))
	refused(t, err, CodePermission, "open /x: permission denied")
	require.ErrorIs(t, err, fs.ErrPermission)
}

func refused(t *testing.T, err error, code, says string) {
	t.Helper()
	failed, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, code, failed.Code, err)
	assert.Contains(t, failed.Msg, says)
}
