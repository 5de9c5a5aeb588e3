package executor

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"
	"sync"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/plan"
)

// reach returns the connection and the helper that a task uses: those of its
// host, or of the one that it is delegated to, as the user that it becomes.
// Nothing is connected before the task asks for something.
func (w *walk) reach(ctx context.Context, t *plan.Task, s *scope, k settings) (conn.Conn, helper.Caller, error) {
	h, on := w.host, s
	to, err := w.text(ctx, t.DelegateTo, s)
	if err != nil {
		return nil, nil, err
	}
	if to != "" && to != h.Name {
		h = w.delegate(to)
		on = w.hostScope(h)
	}
	connection, err := w.connectionVars(ctx, on, k)
	if err != nil {
		return nil, nil, targetError(h.Name, err)
	}
	target, err := w.o.Target(h.Name, connection)
	if err != nil {
		return nil, nil, targetError(h.Name, err)
	}
	become := becomes(target, connection, k)
	c, caller := w.entrance(h, target, become)
	if len(k.environment) > 0 {
		c = withEnv{c, k.environment}
	}
	return c, caller, nil
}

// delegate returns a host by name; one that is in no inventory is a name to
// connect to, as in Ansible.
func (r *run) delegate(name string) *host {
	r.delegated.Lock()
	defer r.delegated.Unlock()
	if h := r.hosts[name]; h != nil {
		return h
	}
	if h := r.strangers[name]; h != nil {
		return h
	}
	h := newHost(&plan.Host{Name: name})
	if r.strangers == nil {
		r.strangers = map[string]*host{}
	}
	r.strangers[name] = h
	return h
}

// connectionVars returns the variables that say how to connect. Those of the
// inventory win over keywords, as in Ansible.
func (w *walk) connectionVars(ctx context.Context, s *scope, k settings) (map[string]any, error) {
	out := map[string]any{}
	for name, value := range map[string]string{"ansible_connection": k.connection, "ansible_user": k.user, "ansible_port": k.port} {
		if value != "" {
			out[name] = value
		}
	}
	for _, name := range s.stack.Names() {
		if !strings.HasPrefix(name, "ansible_") {
			continue
		}
		v, literal, _ := s.stack.Lookup(name)
		if !literal {
			var err error
			if v, err = w.o.Engine.Expand(ctx, v, s); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		out[name] = v
	}
	if out["ansible_connection"] == nil && s.host == "localhost" {
		out["ansible_connection"] = "local"
	}
	return out, nil
}

// becomes says as whom a task acts: a variable wins over the keyword.
func becomes(t conn.Target, connection map[string]any, k settings) conn.Become {
	wanted := k.become != nil && *k.become
	if v, given := connection["ansible_become"]; given {
		wanted = truthy(v)
	}
	if !wanted {
		return conn.Become{}
	}
	b := t.Become
	b.Method = cmp.Or(b.Method, k.becomeMethod, "sudo")
	b.User = cmp.Or(b.User, k.becomeUser, "root")
	b.Exe = cmp.Or(b.Exe, k.becomeExe)
	b.Flags = cmp.Or(b.Flags, k.becomeFlags)
	return b
}

func truthy(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true") || strings.EqualFold(v, "yes") || v == "1"
	case int64:
		return v != 0
	}
	return false
}

// entrance returns the connection of h as a user, and the helper there. They
// are the same for every task, so that what they know is known once.
func (r *run) entrance(h *host, t conn.Target, b conn.Become) (conn.Conn, helper.Caller) {
	h.doors.mu.Lock()
	defer h.doors.mu.Unlock()
	key := doorKey{t.Connection, t.User, t.Addr(), b}
	d, ok := h.doors.open[key]
	if !ok {
		d.conn = &door{run: r, host: h, target: t, become: b}
		d.caller = r.o.Helper(d.conn)
		if h.doors.open == nil {
			h.doors.open = map[doorKey]entry{}
		}
		h.doors.open[key] = d
	}
	return d.conn, d.caller
}

// doors are the ways into a host that tasks have used.
type doors struct {
	mu   sync.Mutex
	open map[doorKey]entry
}

type doorKey struct {
	connection, user, addr string
	become                 conn.Become
}

type entry struct {
	conn   conn.Conn
	caller helper.Caller
}

// door is a connection that is opened when it is first used: many tasks need
// none.
type door struct {
	run    *run
	host   *host
	target conn.Target
	become conn.Become
}

var _ conn.Conn = (*door)(nil)

func (d *door) open(ctx context.Context) (conn.Conn, error) {
	c, err := d.run.link(ctx, d.host, d.target)
	if err != nil {
		return nil, err
	}
	return c.As(d.become), nil
}

// Run implements conn.Conn.
func (d *door) Run(ctx context.Context, c conn.Cmd) error {
	to, err := d.open(ctx)
	if err != nil {
		return err
	}
	return to.Run(ctx, c)
}

// Get implements conn.Conn.
func (d *door) Get(ctx context.Context, path string, w io.Writer) (fs.FileInfo, error) {
	to, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	return to.Get(ctx, path, w)
}

// Put implements conn.Conn.
func (d *door) Put(ctx context.Context, path string, r io.Reader, mode fs.FileMode) error {
	to, err := d.open(ctx)
	if err != nil {
		return err
	}
	return to.Put(ctx, path, r, mode)
}

// Stat implements conn.Conn.
func (d *door) Stat(ctx context.Context, path string) (fs.FileInfo, error) {
	to, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	return to.Stat(ctx, path)
}

// As implements conn.Conn.
func (d *door) As(b conn.Become) conn.Conn {
	return &door{run: d.run, host: d.host, target: d.target, become: b}
}

// Peer implements conn.Conn. What is not known before connecting is empty.
func (d *door) Peer() conn.Peer { return d.run.peer(d.host, d.target) }

// Close implements conn.Conn: the run closes what it has opened.
func (d *door) Close() error { return nil }

// withEnv adds a task's environment to its commands.
type withEnv struct {
	conn.Conn
	env map[string]string
}

// Run implements conn.Conn.
func (e withEnv) Run(ctx context.Context, c conn.Cmd) error {
	env := maps.Clone(e.env)
	maps.Copy(env, c.Env)
	c.Env = env
	return e.Conn.Run(ctx, c)
}

// As implements conn.Conn.
func (e withEnv) As(b conn.Become) conn.Conn { return withEnv{e.Conn.As(b), e.env} }
