package sshd_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn/opensshd"
)

// engineScript is a container engine whose containers are files that hold their
// state. A stop takes a while, and goes on if nobody waits for it, as Docker's.
const engineScript = `#!/bin/sh
cd DIR || exit 1
case $1 in
inspect)
	printf '[{"Id": "DIR/tracker", "Name": "/tracker", "State": {"Status": "%s", "StartedAt": "2026-01-01T00:00:00Z"}, "Config": {}}]' "$(cat tracker)" ;;
stop) setsid sh -c 'sleep 0.2; echo stop >>orders; printf exited >tracker' ;;
start) [ "$(cat tracker)" = running ] || { echo start >>orders; printf running >tracker; } ;;
esac
`

const windowPlaybook = `- hosts: all
  tasks:
    - maintenance_window: { stop: [tracker], stop_timeout: 2s, healthy_timeout: 20s }
      block:
        - command: sleep 0.4
        - command: cat DIR/tracker
          register: state
          failed_when: state.stdout != WANT
`

// watched is how long a run watches a container that was started again.
const watched = time.Second

// windowRuns is how often a run with a window is killed.
func windowRuns() int {
	if os.Getenv("REQUIRE_SSHD") != "" {
		return 102
	}
	return 9
}

// TestWindowKilled kills the runner, the link, the helper or its keeper at
// random moments of a maintenance window: the container runs again within
// seconds, if it ran before.
func TestWindowKilled(t *testing.T) {
	dir := publicDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker"), []byte(strings.ReplaceAll(engineScript, "DIR", dir)), 0o755))
	server := startServerWith(t, opensshd.Config{Env: []string{"PATH=" + dir + ":/usr/local/bin:/usr/bin:/bin"}})
	runner := build(t)
	inventory := filepath.Join(dir, "inventory.yml")
	require.NoError(t, os.WriteFile(inventory, []byte(server.Inventory(host, dir)), 0o600))
	w := windowSite{t: t, server: server, dir: dir, runner: runner, inventory: inventory}

	// How long a run takes that nothing disturbs, once the helper is there.
	var whole time.Duration
	for range 2 {
		began := time.Now()
		w.begin("running")
		out, err := w.run(t.Context()).CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, "stop\nstart\n", w.read("orders"))
		whole = time.Since(began)
	}

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, a run takes %s", seed, whole)
	random := rand.New(rand.NewPCG(seed, 0))
	reached, longest := map[string]int{}, time.Duration(0)
	for i := range windowRuns() {
		victim := []string{"runner", "link", "helper"}[i%3]
		if i%17 == 16 {
			victim = "keeper"
		}
		before := "running"
		if random.IntN(5) == 0 {
			before = "exited"
		}
		stopped, back := w.kill(victim, before, time.Duration(random.Int64N(int64(whole-watched))))
		if stopped {
			reached[victim]++
		}
		longest = max(longest, back)
	}
	t.Logf("stopped before it was killed: %v; the longest way back took %s", reached, longest)
	assert.NotEmpty(t, reached, "no run was killed within its window")
	assert.Less(t, longest, 10*time.Second)
}

type windowSite struct {
	t                      *testing.T
	server                 *opensshd.Server
	dir, runner, inventory string
}

func (w windowSite) read(name string) string {
	data, _ := os.ReadFile(filepath.Join(w.dir, name))
	return string(data)
}

// begin brings the container into a state.
func (w windowSite) begin(state string) {
	for name, text := range map[string]string{
		"tracker": state, "orders": "",
		"window.yml": strings.NewReplacer("DIR", w.dir, "WANT", "'exited'").Replace(windowPlaybook),
	} {
		require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o666))
	}
	give(w.t, w.server, w.dir)
}

func (w windowSite) run(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, w.runner, "run", filepath.Join(w.dir, "window.yml"), "-i", w.inventory, "--store", filepath.Join(w.dir, "store"))
}

// kill kills the victim after a time of a run. It tells whether the container
// was stopped by then, and how long it took until it was as before.
func (w windowSite) kill(victim, before string, after time.Duration) (stopped bool, back time.Duration) {
	t := w.t
	w.begin(before)
	cmd := w.run(t.Context())
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	time.Sleep(after) // the moment is random: nothing is waited for
	stopped = strings.Contains(w.read("orders"), "stop")
	switch victim {
	case "runner":
		_ = cmd.Process.Kill() // it may have ended
	case "link":
		require.NoError(t, w.server.Cut())
	case "helper":
		w.killAll(2)
	case "keeper":
		w.killAll(3)
	}
	killed := time.Now()
	_ = cmd.Wait() // how it ends depends on the moment
	what := fmt.Sprintf("%s killed after %s, container %s before: %s\n%s", victim, after, before, w.read("orders"), &out)
	require.Eventually(t, func() bool { return len(w.helpers(3)) == 0 }, 30*time.Second, 5*time.Millisecond, "a keeper is left; "+what)
	require.Eventually(t, func() bool { return w.read("tracker") == before }, 30*time.Second, 5*time.Millisecond, what)
	back = time.Since(killed)
	require.Empty(t, w.helpers(2), "a helper is left; "+what)
	if before == "exited" {
		require.Empty(t, w.read("orders"), what)
	}
	return stopped, back
}

// helpers returns the processes of helpers behind this server, and no others of
// this machine: those with that many arguments. The keeper of a window has three.
func (w windowSite) helpers(arguments int) []int {
	t := w.t
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var out []int
	for _, file := range files {
		line, _ := os.ReadFile(file) // it may have ended
		argv := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		if len(argv) != arguments || argv[1] != "helper-agent" {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		if !strings.Contains(string(environ), "PATH="+w.dir+":") {
			continue
		}
		var pid int
		_, err := fmt.Sscanf(file, "/proc/%d/", &pid)
		require.NoError(t, err)
		out = append(out, pid)
	}
	return out
}

func (w windowSite) killAll(arguments int) {
	w.t.Helper()
	for _, pid := range w.helpers(arguments) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
}
