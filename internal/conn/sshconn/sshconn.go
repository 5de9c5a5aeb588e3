// Package sshconn owns connections over SSH: ssh_config, keys and agents, host
// keys, jump hosts, keepalives, commands and files. It speaks SSH in this
// process; no ssh program is needed.
//
// It never knows playbooks, tasks or inventories.
package sshconn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/torrust/runner/internal/conn"
)

// Options say what a Dialer may use of the controller. The zero value uses
// the environment and home of the process.
type Options struct {
	Env  func(string) string
	Home string // "" is that of the process's user
	// ConfigFiles are read as ssh_config, the first says more than the
	// next; nil means ~/.ssh/config and /etc/ssh/ssh_config.
	ConfigFiles []string
}

// Dialer opens connections over SSH. It is safe for concurrent use. Hosts that
// are reached through the same jump host share one connection to it.
type Dialer struct {
	env    func(string) string
	home   string
	config *configFiles

	mu     sync.Mutex
	jumps  map[string]*jump
	hosts  sync.Mutex // known_hosts is written to by one at a time
	closed bool
}

var _ conn.Dialer = (*Dialer)(nil)

// New returns a dialer. Close it.
func New(o Options) *Dialer {
	d := &Dialer{env: o.Env, home: o.Home, jumps: map[string]*jump{}}
	if d.env == nil {
		d.env = os.Getenv
	}
	if d.home == "" {
		d.home, _ = os.UserHomeDir() // without one there are no default files
	}
	files := o.ConfigFiles
	if files == nil {
		files = []string{filepath.Join(d.home, ".ssh", "config"), "/etc/ssh/ssh_config"}
	}
	d.config = &configFiles{paths: files, home: d.home}
	return d
}

// defaultTimeout bounds resolving, connecting, key exchange and
// authentication together.
const defaultTimeout = 30 * time.Second

// Dial implements conn.Dialer.
func (d *Dialer) Dial(ctx context.Context, t conn.Target) (conn.Conn, error) {
	s, err := d.settings(t)
	if err != nil {
		return nil, &conn.DialError{Target: t, Stage: conn.StageConfig, Err: err, Hint: hintOf(err)}
	}
	t.Host, t.Port, t.User = s.host, s.port, s.user
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("no answer within %s", s.timeout))
	defer cancel()
	client, release, fingerprint, err := d.connect(ctx, t, s, 0)
	if err != nil {
		return nil, err
	}
	return newConn(client, release, s, conn.Peer{Addr: t.Addr(), User: s.user, Fingerprint: fingerprint, Server: string(client.ServerVersion())}), nil
}

// Close implements conn.Dialer: it ends the connections to jump hosts.
func (d *Dialer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	var errs []error
	for key, j := range d.jumps {
		if j.client != nil {
			errs = append(errs, ignoreGone(j.client.Close()))
		}
		delete(d.jumps, key)
	}
	return errors.Join(errs...)
}

// hinted is an error that knows what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

func hintOf(err error) string {
	if h, ok := errors.AsType[*hinted](err); ok {
		return h.hint
	}
	return ""
}

func withHint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// expandHome expands a leading ~ and the tokens %d and %h of ssh_config(5).
func (d *Dialer) expandHome(path, host, user string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		path = filepath.Join(d.home, rest)
	}
	return strings.NewReplacer("%%", "%", "%d", d.home, "%h", host, "%r", user).Replace(path)
}
