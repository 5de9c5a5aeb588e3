// Package waitfor owns the task kind wait_for: a port or a path of the host
// that comes or goes.
//
// It changes nothing.
package waitfor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "wait_for", Summary: "Waits on the host until a port opens or closes, or a file comes or goes.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "It looks from the host, every `sleep` seconds. For a port the host needs bash, nc or python3. With `search_regex` (an\n" +
	"extended expression, as of grep -E) a file must hold it. Without port and path it just waits for `timeout`.\n\n" +
	"Returns `elapsed` in seconds, `port`, `path`, `state`. In check mode it does not wait.\n\n" +
	"```yaml\n" +
	"- wait_for: { port: 1212, delay: 2, timeout: 60, msg: the tracker's API does not answer }\n" +
	"- wait_for: { path: /run/tracker.pid, state: absent }\n" +
	"```\n"

type task struct {
	Host    string        `arg:"host" default:"127.0.0.1" doc:"the host of the port, as seen from the host"`
	Port    int           `arg:"port" doc:"the port"`
	Path    string        `arg:"path" doc:"the file, in place of a port"`
	State   string        `arg:"state" default:"started" choices:"started,present,stopped,absent" doc:"open or there, closed or gone"`
	Search  string        `arg:"search_regex" doc:"what the file must hold"`
	Timeout time.Duration `arg:"timeout" default:"300" doc:"how long to wait at most"`
	Delay   time.Duration `arg:"delay" default:"0" doc:"how long to wait before looking"`
	Sleep   time.Duration `arg:"sleep" default:"1" doc:"how long to wait between two looks"`
	Connect time.Duration `arg:"connect_timeout" default:"5" doc:"how long a look at a port may take"`
	Msg     string        `arg:"msg" doc:"what to say if it does not happen"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case t.Port != 0 && t.Path != "":
		return errors.New(`give "port" or "path", not both`)
	case t.Port < 0 || t.Port > 65535:
		return fmt.Errorf("port %d is not between 1 and 65535", t.Port)
	case t.Search != "" && t.Path == "":
		return errors.New("search_regex needs path")
	case t.Search != "" && t.wantsGone():
		return errors.New("search_regex belongs to state present")
	case t.Timeout < 0 || t.Delay < 0 || t.Sleep <= 0 || t.Connect <= 0:
		return errors.New("a time must be positive")
	}
	return nil
}

func (t *task) wantsGone() bool { return t.State == "stopped" || t.State == "absent" }

// waitScript looks until what is wanted is so ($1 is yes or no), or $2 seconds
// are over: then it exits with 3. $3 is the time between two looks. The look
// is at the path $4 and its content $5, or at the port $6 of host $7, for $8
// seconds at most. It exits with 4 if it cannot look.
const waitScript = `
want=$1 end=$(( $(date +%s) + $2 )) sleep=$3 path=$4 search=$5 port=$6 host=$7 connect=$8
if [ -n "$path" ]; then
  look() { [ -e "$path" ] && { [ -z "$search" ] || grep -Eq -e "$search" -- "$path"; }; }
elif [ -z "$port" ]; then
  look() { return 1; }
elif command -v bash >/dev/null; then
  look() { timeout "$connect" bash -c ': < "/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null; }
elif command -v nc >/dev/null; then
  look() { nc -z -w "$connect" "$host" "$port" 2>/dev/null; }
elif command -v python3 >/dev/null; then
  look() { python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))' "$host" "$port" "$connect" 2>/dev/null; }
else
  exit 4
fi
while :; do
  if look; then is=yes; else is=no; fi
  if [ "$is" = "$want" ]; then exit 0; fi
  if [ "$(date +%s)" -ge "$end" ]; then exit 3; fi
  sleep "$sleep"
done`

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	start := time.Now()
	if err := pause(ctx, t.Delay); err != nil {
		return tasks.Result{}, err
	}
	want, port := "yes", ""
	if t.wantsGone() {
		want = "no"
	}
	if t.Port != 0 {
		port = strconv.Itoa(t.Port)
	}
	if port == "" && t.Path == "" {
		err := pause(ctx, t.Timeout)
		return t.result(start), err
	}
	var complaint bytes.Buffer
	argv := append(conn.Shell(waitScript), "sh", want, seconds(t.Timeout), fraction(t.Sleep), t.Path, t.Search, port, t.Host, seconds(t.Connect))
	err := h.Conn.Run(ctx, conn.Cmd{Argv: argv, Stderr: &complaint})
	if exit, ok := errors.AsType[*conn.ExitError](err); ok {
		switch exit.Code {
		case 3:
			err = errors.New(t.sorry())
		case 4:
			err = errors.New("the host has no bash, nc or python3 to look at a port with")
		default:
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
		}
	}
	return t.result(start), err
}

// seconds rounds up: a look may not take no time at all.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func fraction(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sorry says what did not happen.
func (t *task) sorry() string {
	what := t.Path
	if t.Port != 0 {
		what = fmt.Sprintf("%s:%d", t.Host, t.Port)
	}
	switch {
	case t.Msg != "":
		return t.Msg
	case t.wantsGone():
		return fmt.Sprintf("%s is still there after %s", what, t.Timeout)
	case t.Search != "":
		return fmt.Sprintf("%s does not hold %q after %s", what, t.Search, t.Timeout)
	}
	return fmt.Sprintf("%s is not there after %s", what, t.Timeout)
}

func (t *task) result(start time.Time) tasks.Result {
	out := map[string]any{"elapsed": int64(time.Since(start).Seconds()), "state": t.State}
	if t.Port != 0 {
		out["port"] = int64(t.Port)
	}
	if t.Path != "" {
		out["path"] = t.Path
	}
	return tasks.Result{Outputs: out}
}

// Check implements tasks.Checker.
func (t *task) Check(context.Context, tasks.Host) (tasks.Result, error) {
	return t.result(time.Now()), nil
}
