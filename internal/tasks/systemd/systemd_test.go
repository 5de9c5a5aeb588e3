package systemd

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

// fake is a systemctl with one unit, app, whose state is in files.
const fake = `
cd "$(dirname "$0")"
active=$(cat active) file=$(cat file)
echo "$*" >> log
case $1 in
show)
  case $4 in
  app) printf 'LoadState=loaded\nActiveState=%s\nSubState=x\nUnitFileState=%s\n' "$active" "$file" ;;
  *) printf 'LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n' ;;
  esac ;;
start | restart | reload) if [ -e broken ]; then echo "Job for app failed." >&2; exit 1; fi; echo active > active ;;
stop) echo inactive > active ;;
enable) echo enabled > file ;;
disable | unmask) echo disabled > file ;;
mask) echo masked > file ;;
esac
`

func newHost(t *testing.T, active, file string) *taskstest.Host {
	t.Helper()
	h := taskstest.New(t)
	h.Conn.Fake(t, "systemctl", fake)
	require.NoError(t, os.WriteFile(h.Conn.Bin+"/active", []byte(active), 0o600))
	require.NoError(t, os.WriteFile(h.Conn.Bin+"/file", []byte(file), 0o600))
	return h
}

// orders returns what systemctl was told to do.
func orders(t *testing.T, h *taskstest.Host) []string {
	t.Helper()
	log, err := os.ReadFile(h.Conn.Bin + "/log")
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(log)) {
		if !strings.HasPrefix(line, "show") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

func TestSystemd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, active, file string
		want               string
		again              string // what the second run does, if anything
	}{
		{`name: app, state: started`, "inactive", "enabled", "start app", ""},
		{`name: app, state: started`, "failed", "enabled", "start app", ""},
		{`name: app, state: started`, "activating", "enabled", "", ""},
		{`name: app, state: stopped`, "active", "enabled", "stop app", ""},
		{`name: app, state: stopped`, "inactive", "enabled", "", ""},
		{`name: app, state: restarted`, "active", "enabled", "restart app", "restart app"},
		{`name: app, state: reloaded`, "active", "enabled", "reload app", "reload app"},
		{`name: app, state: reloaded`, "inactive", "enabled", "start app", "reload app"},
		{`name: app, enabled: yes`, "active", "disabled", "enable app", ""},
		{`name: app, enabled: "no"`, "active", "enabled", "disable app", ""},
		{`name: app, enabled: yes`, "active", "static", "", ""},
		{`service: app, masked: yes`, "active", "enabled", "mask app", ""},
		{`name: app, masked: no, enabled: yes, state: started`, "inactive", "masked", "unmask app|enable app|start app", ""},
		{`daemon_reload: yes, name: app, state: started`, "inactive", "enabled", "daemon-reload|start app", "daemon-reload"},
		{`daemon_reload: yes`, "active", "enabled", "daemon-reload", "daemon-reload"},
	} {
		h := newHost(t, c.active, c.file)
		args := `{` + c.args + `}`
		changes := c.want != "" && c.want != "daemon-reload"
		r, err := taskstest.Make(t, Spec(), args).(*task).Check(t.Context(), h.Host)
		require.NoError(t, err, c.args)
		assert.Equal(t, changes, r.Changed, c.args)

		r, err = h.Run(t, Spec(), args)
		require.NoError(t, err, c.args)
		assert.Equal(t, changes, r.Changed, c.args)
		first := orders(t, h)
		assert.Equal(t, c.want, strings.Join(first, "|"), c.args)

		r, err = h.Run(t, Spec(), args)
		require.NoError(t, err, c.args)
		assert.Equal(t, c.again != "" && c.again != "daemon-reload", r.Changed, c.args)
		assert.Equal(t, c.again, strings.Join(orders(t, h)[len(first):], "|"), c.args)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	h := newHost(t, "inactive", "enabled")
	_, err := h.Run(t, Spec(), `{name: other, state: started}`)
	require.EqualError(t, err, "the host has no unit other")
	require.NoError(t, os.WriteFile(h.Conn.Bin+"/broken", nil, 0o600))
	r, err := h.Run(t, Spec(), `{name: app, state: started}`)
	require.ErrorContains(t, err, "systemctl start app: exit status 1: Job for app failed.")
	assert.False(t, r.Changed)
	for args, want := range map[string]string{
		`{}`:                            "nothing to do",
		`{state: started}`:              "which unit? give name",
		`{name: app, enabled: perhaps}`: `"enabled": must be true or false`,
		`{name: app, state: running}`:   `"state" cannot be "running"`,
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
