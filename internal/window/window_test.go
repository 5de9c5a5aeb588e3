package window

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/container"
)

// keeperArgument makes the test program the keeper.
const keeperArgument = "keep"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == keeperArgument {
		if name := os.Getenv("KEEPER_PID_FILE"); name != "" {
			_ = os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())), 0o600)
		}
		Keep(os.Stdin, os.Stdout)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// engine is a container engine that is a script: the state of a container is a
// file of its name, and every order is a line of the file "log".
type engine struct {
	t    *testing.T
	dir  string
	path string
}

const engineScript = `cd "$(dirname "$0")" || exit 1
[ "$1" = inspect ] || [ "$1" = ps ] || echo "$*" >>log
[ ! -e "fail-$1" ] || { rm -f "fail-$1.once" && cat "fail-$1" >&2; [ ! -e once ] || rm "fail-$1"; exit 1; }
case $1 in
inspect)
	shift 3
	sep='['
	for c; do
		[ -e "c/$c" ] || { echo "Error: No such container: $c" >&2; exit 1; }
		health=$(cat "health/$c" 2>/dev/null)
		printf '%s{"Id": "%s", "Name": "/%s", "State": {"Status": "%s", "StartedAt": "2026-01-01T00:00:00Z"%s}, "Config": {}}' \
			"$sep" "$TEST_RUN-$c" "$c" "$(cat "c/$c")" "${health:+, \"Health\": {\"Status\": \"$health\"\}}"
		sep=,
	done
	echo ']' ;;
stop) c=${4#"$TEST_RUN-"}; [ ! -e slow ] || { touch stopping; cat gate; }; printf exited >"c/$c"; [ ! -e slow ] || echo stopped >>log ;;
start) c=${2#"$TEST_RUN-"}; [ -e "c/$c" ] || { echo "Error: No such container: $c" >&2; exit 1; }; printf running >"c/$c" ;;
esac
`

func newEngine(t *testing.T, states map[string]string) engine {
	t.Helper()
	e := engine{t: t, dir: t.TempDir()}
	e.path = filepath.Join(e.dir, "docker")
	// The IDs must be this test's alone: keepers of other tests run beside it.
	script := "#!/bin/sh\nTEST_RUN=" + filepath.Base(filepath.Dir(e.dir)) + "\n" +
		strings.Replace(engineScript, "for c; do", "for c; do c=${c#\"$TEST_RUN-\"}", 1)
	require.NoError(t, os.WriteFile(e.path, []byte(script), 0o755))
	for _, dir := range []string{"c", "health"} {
		require.NoError(t, os.Mkdir(filepath.Join(e.dir, dir), 0o755))
	}
	for name, state := range states {
		e.put("c/"+name, state)
	}
	return e
}

func (e engine) put(name, text string) {
	e.t.Helper()
	require.NoError(e.t, os.WriteFile(filepath.Join(e.dir, name), []byte(text), 0o644))
}

func (e engine) get(name string) string {
	data, err := os.ReadFile(filepath.Join(e.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	require.NoError(e.t, err)
	return string(data)
}

func (e engine) state(name string) string { return e.get("c/" + name) }

// becomes waits until a container has a state: keepers are processes of their
// own.
func (e engine) becomes(name, state string) {
	e.t.Helper()
	require.Eventually(e.t, func() bool { return e.state(name) == state }, 20*time.Second, 5*time.Millisecond, "%s is %s", name, e.state(name))
}

func (e engine) params(stop ...string) Params {
	return Params{Engine: e.path, Stop: stop, Grace: time.Second, Deadline: time.Minute}
}

// opened is a window that is held by a goroutine.
type opened struct {
	t      *testing.T
	cancel context.CancelCauseFunc
	err    chan error

	mu   sync.Mutex
	news []News
	open chan struct{}
}

var errDone = errors.New("the block is over")

func hold(t *testing.T, p Params) *opened {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	o := &opened{t: t, cancel: cancel, err: make(chan error, 1), open: make(chan struct{})}
	go func() {
		o.err <- Hold(ctx, p, []string{program, keeperArgument}, func(n News) error {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.news = append(o.news, n)
			if n.Event == Open {
				close(o.open)
			}
			return nil
		})
	}()
	return o
}

// awaitOpen waits until everything is stopped.
func (o *opened) awaitOpen() {
	o.t.Helper()
	select {
	case <-o.open:
	case err := <-o.err:
		o.t.Fatal("the window was not opened:", err)
	}
}

func (o *opened) end() error {
	o.cancel(errDone)
	return <-o.err
}

func refused(t *testing.T, err error, code, says string) {
	t.Helper()
	failed, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, code, failed.Code, err)
	assert.Contains(t, failed.Msg, says)
}

func TestWindow(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running", "index": "exited", "db": "running"})
	p := e.params("tracker", "index", "db")
	p.Signal = "SIGINT"
	w := hold(t, p)
	w.awaitOpen()
	assert.Equal(t, []string{"exited", "exited", "exited"}, []string{e.state("tracker"), e.state("index"), e.state("db")})
	stopping, open := w.news[0], w.news[1]
	assert.Equal(t, Stopping, stopping.Event)
	assert.Equal(t, "tracker, db", names(open.Stopped))
	assert.Equal(t, []string{"index"}, open.Idle)
	require.ErrorIs(t, w.end(), errDone)

	served, err := Serve(t.Context(), ServeParams{Engine: open.Engine, Services: open.Stopped, Healthy: time.Minute})
	require.NoError(t, err)
	assert.Len(t, served, 2)
	assert.Equal(t, "exited", e.state("index"), "it did not run before")
	var orders []string
	for line := range strings.Lines(strings.ReplaceAll(e.get("log"), filepath.Base(filepath.Dir(e.dir))+"-", "")) {
		orders = append(orders, strings.TrimSpace(line))
	}
	assert.Equal(t, []string{
		"kill --signal SIGINT tracker", "stop -t 1 tracker", "kill --signal SIGINT db", "stop -t 1 db", // in this order,
		"start db", "start tracker", // and back; the keeper does it,
		"start db", "start tracker", // and Serve makes sure
	}, orders)
}

func TestNothingRan(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "exited"})
	w := hold(t, e.params("tracker"))
	require.NoError(t, <-w.err)
	assert.Equal(t, []string{"tracker"}, w.news[0].Idle)
	assert.Empty(t, e.get("log"))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running", "frozen": "paused"})
	for name, says := range map[string]string{"frozen": "is paused", "nothing": "no service nothing"} {
		w := hold(t, e.params("tracker", name))
		refused(t, <-w.err, CodeContainer, says)
	}
	p := e.params("tracker")
	p.Engine = filepath.Join(e.dir, "podman")
	refused(t, <-hold(t, p).err, CodeNoEngine, "no "+p.Engine)
	assert.Equal(t, "running", e.state("tracker"))
	assert.Empty(t, e.get("log"), "nothing was touched")
}

// TestBusy: two windows never share a container.
func TestBusy(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running"})
	first := hold(t, e.params("tracker"))
	first.awaitOpen()
	refused(t, <-hold(t, e.params("tracker")).err, CodeBusy, "another maintenance window holds tracker")
	assert.Equal(t, "exited", e.state("tracker"), "the first one's")
	require.ErrorIs(t, first.end(), errDone)
	e.becomes("tracker", "running")
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running"})
	p := e.params("tracker")
	p.Deadline = 300 * time.Millisecond
	w := hold(t, p)
	refused(t, <-w.err, CodeDeadline, "tracker was started again")
	assert.Equal(t, "running", e.state("tracker"))
}

// TestStopFails: what was stopped before runs again.
func TestStopFails(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running"})
	e.put("fail-stop", "Error response from daemon: cannot stop container: tried to kill\n")
	w := hold(t, e.params("tracker"))
	refused(t, <-w.err, CodeStop, "tried to kill")
	assert.Contains(t, e.get("log"), "start ")
}

// TestEngineIsDown: the keeper tries again until the engine is back.
func TestEngineIsDown(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running"})
	w := hold(t, e.params("tracker"))
	w.awaitOpen()
	e.put("once", "") // it fails once
	e.put("fail-start", "Cannot connect to the Docker daemon\n")
	require.ErrorIs(t, w.end(), errDone)
	e.becomes("tracker", "running")
}

// TestGone: a container that was removed meanwhile is not waited for, and the
// others are started.
func TestGone(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running", "db": "running"})
	w := hold(t, e.params("tracker", "db"))
	w.awaitOpen()
	require.NoError(t, os.Remove(filepath.Join(e.dir, "c", "db")))
	require.ErrorIs(t, w.end(), errDone)
	e.becomes("tracker", "running")
	_, err := Serve(t.Context(), ServeParams{Engine: e.path, Services: w.news[1].Stopped, Healthy: 10 * time.Second})
	refused(t, err, CodeContainer, "db cannot be started again")
}

// TestKeeperKilled: the helper does the keeper's work.
func TestKeeperKilled(t *testing.T) {
	for name, c := range map[string]struct{ slow, open bool }{
		"while it is open": {open: true},
		"during a stop":    {slow: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, map[string]string{"tracker": "running"})
			pidFile := filepath.Join(e.dir, "pid")
			t.Setenv("KEEPER_PID_FILE", pidFile)
			if c.slow {
				e.put("slow", "")
				require.NoError(t, syscall.Mkfifo(filepath.Join(e.dir, "gate"), 0o600))
			}
			w := hold(t, e.params("tracker"))
			if c.open {
				w.awaitOpen()
			} else {
				require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(e.dir, "stopping")); return err == nil }, 20*time.Second, time.Millisecond)
			}
			pid, err := strconv.Atoi(e.get("pid"))
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
			if c.slow {
				// The engine goes on with the stop, though nobody waits for it.
				require.Eventually(t, func() bool { return strings.Contains(e.get("log"), "start ") }, 20*time.Second, time.Millisecond)
				e.put("gate", "")
			}
			refused(t, <-w.err, CodeKeeper, "the helper has started tracker again")
			assert.Equal(t, "running", e.state("tracker"))
			assert.Equal(t, c.slow, strings.Contains(e.get("log"), "stopped"), "the engine ended its stop after the first start")
		})
	}
}

// TestHelperKilled: the keeper needs nobody. It is not in our session, so what
// ends that spares it.
func TestHelperKilled(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "running"})
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(program, keeperArgument)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = in.Write([]byte(`{"engine": "` + e.path + `", "stop": ["tracker"], "grace": 1000000000, "deadline": 60000000000}` + "\n"))
	require.NoError(t, err)
	e.becomes("tracker", "exited")
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE} {
		require.NoError(t, syscall.Kill(-cmd.Process.Pid, s))
	}
	require.NoError(t, out.Close())
	require.NoError(t, in.Close())
	e.becomes("tracker", "running")
	require.NoError(t, cmd.Wait())
}

// TestTerminated: a shutdown of the session starts everything while it can.
func TestTerminated(t *testing.T) {
	e := newEngine(t, map[string]string{"tracker": "running"})
	pidFile := filepath.Join(e.dir, "pid")
	t.Setenv("KEEPER_PID_FILE", pidFile)
	w := hold(t, e.params("tracker"))
	w.awaitOpen()
	pid, err := strconv.Atoi(e.get("pid"))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
	refused(t, <-w.err, CodeKeeper, "closed from outside (terminate)")
	assert.Equal(t, "running", e.state("tracker"))
}

func TestServe(t *testing.T) {
	t.Parallel()
	e := newEngine(t, map[string]string{"tracker": "exited", "ill": "exited"})
	e.put("health/tracker", "healthy")
	e.put("health/ill", "starting")
	served, err := Serve(t.Context(), ServeParams{Engine: e.path, Services: []Service{{"tracker", "tracker"}}, Healthy: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, "healthy", served[0].Health)
	_, err = Serve(t.Context(), ServeParams{Engine: e.path, Services: []Service{{"ill", "ill"}}, Healthy: 200 * time.Millisecond})
	refused(t, err, CodeUnhealthy, "ill was started again, but it is running starting")
}

func TestKeepNeedsParams(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	program, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, keeperArgument)
	cmd.Stdin, cmd.Stdout = strings.NewReader("{\"stop\": [\"tra"), &out
	require.NoError(t, cmd.Run())
	assert.Empty(t, out.String())
}

func TestErrorsOfTheEngine(t *testing.T) {
	t.Parallel()
	for kind, code := range map[container.Kind]string{
		container.NoEngine: CodeNoEngine, container.Down: CodeNoEngine, container.Forbidden: CodeForbidden,
		container.Missing: CodeContainer, container.Ambiguous: CodeContainer, container.Other: CodeStop,
	} {
		assert.Equal(t, code, engineError(&container.Error{Kind: kind}, CodeStop).Code)
	}
}
