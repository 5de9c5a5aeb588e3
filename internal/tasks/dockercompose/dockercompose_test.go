package dockercompose

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

// fake is a docker with two services, whose states are in files.
const fake = `
bin=$(dirname "$0")
echo "$(pwd): $*" >> "$bin/log"
shift
while [ "${1#-}" != "$1" ]; do shift 2; done
order=$1
shift
if [ "$1" = -t ]; then shift 2; fi
case $order in
ps)
  for s in tracker grafana; do
    printf '{"ID":"i-%s","Name":"n-%s","Service":"%s","State":"%s","Health":"%s","Image":"x:1","ExitCode":0}\n' $s $s $s "$(cat "$bin/$s")" "$(cat "$bin/health" 2>/dev/null)"
  done ;;
start | restart)
  if [ -e "$bin/broken" ]; then echo "Error response from daemon: no" >&2; exit 1; fi
  for s in "$@"; do echo running > "$bin/$s"; done ;;
stop) for s in "$@"; do echo exited > "$bin/$s"; done ;;
esac
`

func newHost(t *testing.T, tracker, grafana string) *taskstest.Host {
	t.Helper()
	h := taskstest.New(t)
	h.Conn.Fake(t, "docker", fake)
	require.NoError(t, os.WriteFile(h.Conn.Bin+"/tracker", []byte(tracker), 0o600))
	require.NoError(t, os.WriteFile(h.Conn.Bin+"/grafana", []byte(grafana), 0o600))
	return h
}

// orders returns what docker was told to do, ps aside.
func orders(t *testing.T, h *taskstest.Host) string {
	t.Helper()
	log, err := os.ReadFile(h.Conn.Bin + "/log")
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(log)) {
		if _, order, _ := strings.Cut(strings.TrimSpace(line), ": compose "); !strings.Contains(order, "ps -a") {
			out = append(out, order)
		}
	}
	return strings.Join(out, "|")
}

func TestStates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, tracker, grafana, want, again string }{
		{`state: stopped, services: tracker, timeout: 90`, "running", "running", "stop -t 90 tracker", ""},
		{`state: stopped`, "running", "exited", "stop -t 60 tracker", ""},
		{`state: stopped, services: tracker`, "paused", "running", "stop -t 60 tracker", ""},
		{`state: stopped, services: [tracker, grafana]`, "exited", "created", "", ""},
		{`state: started, services: tracker`, "exited", "exited", "start tracker", ""},
		{`state: started`, "running", "running", "", ""},
		{`state: restarted, services: grafana`, "running", "running", "restart -t 60 grafana", "|restart -t 60 grafana"},
		{`files: [a.yml], project_name: p, state: stopped`, "running", "running", "-f a.yml -p p stop -t 60 grafana tracker", ""},
		{`services: tracker`, "running", "running", "", ""},
	} {
		h, dir := newHost(t, c.tracker, c.grafana), t.TempDir()
		args := `{project_src: ` + dir + `, ` + c.args + `}`
		r, err := taskstest.Make(t, Spec(), args).(tasks.Checker).Check(t.Context(), h.Host)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.want != "", r.Changed, c.args)
		assert.Empty(t, orders(t, h), "check mode only looks")

		r, err = h.Run(t, Spec(), args)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.want != "", r.Changed, c.args)
		assert.Equal(t, c.want, orders(t, h), c.args)
		assert.NotEmpty(t, r.Outputs["services"])

		r, err = h.Run(t, Spec(), args)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.again != "", r.Changed, c.args)
		assert.Equal(t, c.want+c.again, orders(t, h), c.args)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t, "exited", "running"), t.TempDir()
	_, err := h.Run(t, Spec(), `{project_src: `+dir+`, services: mysql, state: started}`)
	require.EqualError(t, err, "service mysql in "+dir+" has no container; docker compose up makes it")
	require.NoError(t, os.WriteFile(h.Conn.Bin+"/broken", nil, 0o600))
	_, err = h.Run(t, Spec(), `{project_src: `+dir+`, services: tracker, state: started}`)
	require.EqualError(t, err, "docker compose start tracker in "+dir+": exit status 1: Error response from daemon: no")
	for args, want := range map[string]string{
		`{}`:                                 `docker_compose needs "project_src"`,
		`{project_src: a}`:                   `project_src "a" is not absolute`,
		`{project_src: /a, services: --rm}`:  `"--rm" cannot be the name of a service`,
		`{project_src: /a, wait_timeout: 0}`: "a time must be positive",
		`{project_src: /a, state: present}`:  `"state" cannot be "present"`,
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}

// The service becomes healthy with the third look, or never.
func TestWaits(t *testing.T) {
	t.Parallel()
	for healthyAt, want := range map[int]string{3: "", 1 << 30: "service tracker is starting, after 10s"} {
		task := taskstest.Make(t, Spec(), `{project_src: /a, services: tracker, state: started, wait_timeout: 10}`)
		h := taskstest.New(t)
		looks := 0
		h.Conn.Answer = func(c conn.Cmd) (string, bool) {
			looks++
			health := "starting"
			if looks >= healthyAt {
				health = "healthy"
			}
			return `[{"Service":"tracker","State":"running","Health":"` + health + `"}]`, true
		}
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, err := task.Run(t.Context(), h.Host)
			if want == "" {
				require.NoError(t, err)
				assert.Equal(t, time.Second, time.Since(start))
			} else {
				require.EqualError(t, err, want)
				assert.Equal(t, 10*time.Second, time.Since(start))
			}
		})
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "[]": 0, `[{"Service":"a"},{"Service":"b"}]`: 2, "{\"Service\":\"a\"}\n{\"Service\":\"b\"}\n": 2} {
		got, err := parse([]byte(text))
		require.NoError(t, err)
		assert.Len(t, got, want, text)
	}
	for _, text := range []string{"no such service", `{"Service":`, `[{]`} {
		_, err := parse([]byte(text))
		assert.Error(t, err, text)
	}
}
