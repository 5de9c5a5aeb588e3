package container

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fake returns an engine that is a script; it writes its arguments to the file
// "asked" beside it.
func fake(t *testing.T, script string) (Engine, string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "docker")
	text := "#!/bin/sh\ncd '" + dir + "'\necho \"$*\" >>asked\n" + script + "\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	e, err := Open(path)
	require.NoError(t, err)
	return e, dir
}

const inspection = `[{"Id": "0123", "Name": "/tracker", "Image": "sha256:abc",
 "State": {"Status": "running", "StartedAt": "2026-01-02T03:04:05.6Z", "Health": {"Status": "healthy"}},
 "Config": {"Image": "torrust/tracker:develop", "Env": ["A=1", "URL=a=b", "EMPTY"],
  "Labels": {"com.docker.compose.service": "tracker", "com.docker.compose.project.working_dir": "/opt/torrust"}}}]`

func TestInspect(t *testing.T) {
	t.Parallel()
	e, dir := fake(t, `cat inspection`)
	require.NoError(t, os.WriteFile(dir+"/inspection", []byte(inspection), 0o600))
	list, err := e.Inspect(t.Context(), "tracker")
	require.NoError(t, err)
	c := list[0]
	assert.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC), c.Started)
	assert.Equal(t, map[string]string{"A": "1", "URL": "a=b", "EMPTY": ""}, c.Env)
	assert.Equal(t, []string{"0123", "tracker", "torrust/tracker:develop", "sha256:abc", "running", "healthy", "tracker", "/opt/torrust"},
		[]string{c.ID, c.Name, c.Image, c.ImageID, c.State, c.Health, c.Service(), c.Folder()})

	_, err = e.Inspect(t.Context(), "tracker", "mysql")
	require.ErrorContains(t, err, "1 answers for 2 containers")
	none, err := e.Inspect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, none)
	_, err = e.Inspect(t.Context(), "--format")
	require.ErrorContains(t, err, "cannot be the name of a container")
}

func TestFind(t *testing.T) {
	t.Parallel()
	one := `{"Id": "ID", "Name": "/NAME", "State": {"Status": "STATE"}}`
	make := func(id, name, state string) string {
		return strings.NewReplacer("ID", id, "NAME", name, "STATE", state).Replace(one)
	}
	for name, c := range map[string]struct {
		there []string
		want  string
		fails string
	}{
		"one":                   {[]string{make("1", "a", "exited")}, "a", ""},
		"one that runs":         {[]string{make("1", "a", "exited"), make("2", "b", "running")}, "b", ""},
		"several that run":      {[]string{make("1", "a", "running"), make("2", "b", "running")}, "", "service mysql has 2 containers: a, b"},
		"several that have run": {[]string{make("1", "a", "exited"), make("2", "b", "exited")}, "", "has 2 containers"},
		"none":                  {nil, "", "the host has no service mysql; it has grafana, tracker"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, dir := fake(t, `case $1 in
inspect) cat inspection ;;
ps) case $* in *Names*) echo grafana; echo tracker ;; *) cat ids ;; esac ;;
esac`)
			require.NoError(t, os.WriteFile(dir+"/inspection", []byte("["+strings.Join(c.there, ",")+"]"), 0o600))
			require.NoError(t, os.WriteFile(dir+"/ids", []byte(strings.Repeat("id\n", len(c.there))), 0o600))
			got, err := e.Find(t.Context(), Query{Service: "mysql"})
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, got.Name)
			asked, err := os.ReadFile(dir + "/asked")
			require.NoError(t, err)
			assert.Contains(t, string(asked), "--filter label=com.docker.compose.service=mysql\n")
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for said, kind := range map[string]Kind{
		"permission denied while trying to connect to the Docker daemon socket":              Forbidden,
		"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?": Down,
		"Error: No such container: x":                Missing,
		"Error: no such object: x":                   Missing,
		"Error response from daemon: something else": Other,
		"Cannot connect to the Docker daemon. Got permission denied while trying to connect.": Forbidden,
	} {
		e, _ := fake(t, `echo "`+said+`" >&2; exit 1`)
		_, err := e.Inspect(t.Context(), "x")
		failed, ok := errors.AsType[*Error](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, kind, failed.Kind, said)
		assert.Contains(t, failed.Msg, said)
	}
	_, err := Open("/nowhere/docker")
	failed, ok := errors.AsType[*Error](err)
	require.True(t, ok)
	assert.Equal(t, NoEngine, failed.Kind)
}

// TestStop: the grace of a stop is whole seconds, and at least one: 0 would
// kill at once.
func TestStop(t *testing.T) {
	t.Parallel()
	e, dir := fake(t, "")
	for _, grace := range []time.Duration{0, 1500 * time.Millisecond, time.Minute} {
		require.NoError(t, e.Stop(t.Context(), "0123", grace))
	}
	require.NoError(t, e.Start(t.Context(), "0123"))
	asked, err := os.ReadFile(dir + "/asked")
	require.NoError(t, err)
	assert.Equal(t, "stop -t 1 0123\nstop -t 2 0123\nstop -t 60 0123\nstart 0123\n", string(asked))
	assert.Equal(t, []string{e.program, "exec", "-i", "0123", "sh", "-c", "true"}, e.Exec("0123", "sh", "-c", "true"))
}
