package compose

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		".env":  "DRIVER='mysql'\nDSN='mysql://u:p%2F$@mysql:3306/db'\nTAG=\"v1\"\nPLAIN=x\n",
		"extra": "EXTRA=1\nLATER=file\n",
		"compose.yaml": `
x-defaults: &defaults
  tty: true
services:
  tracker:
    <<: *defaults
    image: torrust/tracker:${TAG}
    container_name: tracker
    env_file: [extra, {path: nowhere, required: false}]
    environment:
      - USER_ID=1000
      - DRIVER=${DRIVER}
      - DSN=${DSN}
      - MISSING=${MISSING:-default}
      - DOLLAR=a$$b
      - PLAIN
      - LATER=compose
    volumes:
      - ./storage/tracker/lib:/var/lib/torrust/tracker:Z
      - ./etc:/etc/torrust/tracker:ro
      - logs:/var/log/torrust
      - /etc/localtime:/etc/localtime:ro
      - /cache
  index:
    environment: {A: 1, B: "${TAG}", PLAIN: null, C: true}
    volumes:
      - {type: bind, source: ./index, target: /var/lib/torrust/index}
      - {type: volume, source: x, target: /x}
`,
		"compose.override.yaml": "services: {tracker: {environment: {USER_ID: 2000}}, index: {image: other}}\n",
	})
	p, err := Load(dir)
	require.NoError(t, err)
	tracker := p.Services["tracker"]
	assert.Equal(t, map[string]string{
		"USER_ID": "2000", "DRIVER": "mysql", "DSN": "mysql://u:p%2F$@mysql:3306/db", "MISSING": "default", "DOLLAR": "a$b", "PLAIN": "x",
		"EXTRA": "1", "LATER": "compose",
	}, tracker.Env)
	assert.Equal(t, "torrust/tracker:v1", tracker.Image)
	assert.Equal(t, []Mount{
		{filepath.Join(dir, "storage/tracker/lib"), "/var/lib/torrust/tracker"}, {filepath.Join(dir, "etc"), "/etc/torrust/tracker"},
		{"", "/var/log/torrust"}, {"/etc/localtime", "/etc/localtime"}, {"", "/cache"},
	}, tracker.Mounts)
	assert.Equal(t, map[string]string{"A": "1", "B": "v1", "PLAIN": "x", "C": "true"}, p.Services["index"].Env)
	assert.Equal(t, "other", p.Services["index"].Image)
	assert.Equal(t, []Mount{{filepath.Join(dir, "index"), "/var/lib/torrust/index"}, {"", "/x"}}, p.Services["index"].Mounts)
	assert.Equal(t, []string{dir + "/compose.yaml", dir + "/compose.override.yaml", dir + "/.env"}, p.Files)
}

func TestLoadFailures(t *testing.T) {
	t.Parallel()
	_, err := Load(t.TempDir())
	require.ErrorIs(t, err, fs.ErrNotExist)
	for name, files := range map[string]map[string]string{
		"not YAML":    {"docker-compose.yml": "services: {\n"},
		"a bad .env":  {"docker-compose.yml": "services: {}\n", ".env": "A='geheim\nB\n"},
		"no env_file": {"docker-compose.yml": "services: {a: {env_file: nowhere}}\n"},
	} {
		dir := t.TempDir()
		write(t, dir, files)
		_, err := Load(dir)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "geheim")
	}
}

func TestOnHost(t *testing.T) {
	t.Parallel()
	mounts := []Mount{{"/opt/lib", "/var/lib/torrust/tracker"}, {"/mnt/db", "/var/lib/torrust/tracker/database/"}, {"", "/data"}, {"/opt/a.conf", "/etc/a.conf"}}
	for path, want := range map[string]string{
		"/var/lib/torrust/tracker/x":           "/opt/lib/x",
		"/var/lib/torrust/tracker/database/db": "/mnt/db/db",
		"/var/lib/torrust/trackers/x":          "",
		"/data/x":                              "",
		"/etc/a.conf":                          "/opt/a.conf",
		"/etc/b.conf":                          "",
	} {
		got, ok := OnHost(mounts, path)
		assert.Equal(t, want, got, path)
		assert.Equal(t, want != "", ok, path)
	}
}
