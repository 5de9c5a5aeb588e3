package waitfor

import (
	"fmt"
	"net"
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

func TestWaitFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("starting\nready 1\n"), 0o600))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	open := listener.Addr().(*net.TCPAddr).Port
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := other.Addr().(*net.TCPAddr).Port
	require.NoError(t, other.Close())

	for args, fails := range map[string]string{
		`path: %s/f`: "",
		`path: %s/f, search_regex: "^ready [0-9]"`:               "",
		`path: %s/g, state: absent`:                              "",
		`path: %s/g, timeout: 0`:                                 "%s/g is not there after 0s",
		`path: %s/f, state: absent, timeout: 0`:                  "%s/f is still there after 0s",
		`path: %s/f, search_regex: "^done", timeout: 0`:          `%s/f does not hold "^done" after 0s`,
		`path: %s/g, timeout: 0, msg: alas`:                      "alas",
		fmt.Sprintf(`port: %d`, open):                            "",
		fmt.Sprintf(`port: %d, state: stopped`, closed):          "",
		fmt.Sprintf(`port: %d, timeout: 0`, closed):              fmt.Sprintf("127.0.0.1:%d is not there after 0s", closed),
		fmt.Sprintf(`port: %d, timeout: 0, state: absent`, open): fmt.Sprintf("127.0.0.1:%d is still there after 0s", open),
	} {
		r, err := taskstest.New(t).Run(t, Spec(), `{`+in(dir, args)+`}`)
		assert.False(t, r.Changed)
		if fails == "" {
			require.NoError(t, err, args)
		} else {
			require.EqualError(t, err, in(dir, fails))
		}
	}
}

func in(dir, text string) string { return strings.Replace(text, "%s", dir, 1) }

// The file comes while the host waits: the second look finds it.
func TestSecondLook(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	h.Conn.Fail = func(conn.Cmd) error {
		go func() { _ = os.WriteFile(dir+"/f", nil, 0o600) }()
		return nil
	}
	_, err := h.Run(t, Spec(), `{path: `+dir+`/f, sleep: 0.01, timeout: 20}`)
	require.NoError(t, err)
}

func TestJustWaiting(t *testing.T) {
	t.Parallel()
	task := taskstest.Make(t, Spec(), `{timeout: 90, delay: 10}`)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r, err := task.Run(t.Context(), tasks.Host{})
		require.NoError(t, err)
		assert.Equal(t, 100*time.Second, time.Since(start))
		assert.Equal(t, int64(100), r.Outputs["elapsed"])
	})
	r, err := taskstest.New(t).Check(t, Spec(), `{port: 1}`, t.TempDir())
	require.NoError(t, err)
	assert.False(t, r.Changed)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{port: 1, path: /a}`:                        "not both",
		`{port: 70000}`:                              "port 70000 is not between",
		`{port: 1, search_regex: a}`:                 "search_regex needs path",
		`{path: /a, search_regex: a, state: absent}`: "belongs to state present",
		`{path: /a, sleep: 0}`:                       "must be positive",
		`{path: /a, state: drained}`:                 `"state" cannot be "drained"`,
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
