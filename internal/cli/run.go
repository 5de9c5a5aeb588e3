package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/conn/localconn"
	"github.com/torrust/runner/internal/conn/sshconn"
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/executor"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/inventory"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/redact"
	"github.com/torrust/runner/internal/target"
	"github.com/torrust/runner/internal/tasks/all"
	"github.com/torrust/runner/internal/tasks/window"
	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

// run reads everything, and runs it if there is nothing wrong with it.
func (r *runFlags) run(ctx context.Context, s *streams, paths []string) error {
	hidden := new(redact.Set)
	ask := newSecrets(s, hidden)
	job, err := r.prepare(ctx, s, paths, hidden, ask)
	if err != nil {
		return err
	}
	if r.list.any() {
		if r.list.syntax {
			return nil
		}
		return plan.Listing{Hosts: r.list.hosts, Tasks: r.list.tasks, Tags: r.list.tags}.Write(s.out, job.plan)
	}
	store, err := catalog.Open(r.store)
	if err != nil {
		return err
	}
	defer store.Close()
	sink, err := r.output.sink(s)
	if err != nil {
		return err
	}
	for _, text := range job.warnings {
		sink.Emit(event.Warning{Time: time.Now(), Text: text})
	}
	dialer := conn.Route{"ssh": sshconn.New(sshconn.Options{Env: s.env}), "local": localconn.Dialer{}}
	x := executor.New(executor.Options{
		Dialer:   dialer,
		Target:   withPassphrase(ask),
		Helper:   func(c conn.Conn) helper.Caller { return helper.New(c, helper.Options{}) },
		Engine:   job.engine,
		Sink:     sink,
		Secrets:  hidden,
		Store:    store,
		ReadVars: job.readVars,
		Prompt:   ask.variable,
		Extra:    job.extra,
		Forks:    r.forks, Check: r.check, Diff: r.diff, ForceHandlers: r.forceHandlers, Verbosity: r.output.verbosity,
		Version: version(), RunID: rand.Text(), Now: time.Now,
		Magic: r.magic(),
	})
	err = x.Run(ctx, job.plan)
	return errors.Join(err, dialer.Close(), sink.Close())
}

// job is what is to be run.
type job struct {
	plan     *plan.Plan
	engine   *template.Engine
	extra    vars.Layer
	readVars func(path string) (vars.Layer, error)
	warnings []string
}

// prepare reads inventory and playbooks. Every mistake in any of them is in
// the error.
func (r *runFlags) prepare(ctx context.Context, s *streams, paths []string, hidden *redact.Set, ask *secrets) (*job, error) {
	if r.forks < 1 {
		return nil, usagef("--forks must be at least 1")
	}
	for _, path := range paths {
		if st, err := os.Stat(path); err != nil {
			return nil, &usageError{err: err}
		} else if st.IsDir() {
			return nil, usagef("%s is a folder; name a playbook in it", path)
		}
	}
	j := &job{}
	var mistakes diag.List
	var err error
	login, err := r.login.layer(ask)
	if err != nil {
		return nil, err
	}
	inv, err := r.inventory.load(ctx, ask, func(text string) { j.warnings = append(j.warnings, text) })
	if inv == nil {
		return nil, err
	}
	mistakes.AddErr(diag.Pos{}, err)
	j.readVars = inv.ReadVars
	if j.extra, err = extraVars(r.extra, inv.ReadVars); err != nil {
		mistakes.AddErr(diag.Pos{File: "-e"}, err)
	}
	for _, path := range paths {
		mistakes.AddErr(diag.Pos{File: path}, inv.AddPlaybookVars(filepath.Dir(path)))
	}
	j.engine = template.New(engineOptions(s, paths, hidden))
	hosts := newHosts(inv, login, r)
	o := plan.Options{
		Registry: all.Registry(), Window: window.Specs, Engine: j.engine, Hosts: hosts.all, Groups: inv.Groups(), Select: hosts.choose,
		Extra: j.extra, Tags: r.tags, SkipTags: r.skipTags, StartAt: r.startAt,
	}
	if o.Playbooks, err = o.Load(ctx, paths...); err != nil {
		return nil, &usageError{err: err}
	}
	j.plan, err = plan.Build(ctx, o)
	mistakes.AddErr(diag.Pos{}, err)
	if err := mistakes.Err(); err != nil {
		return nil, err
	}
	return j, r.anyHosts(j.plan)
}

// anyHosts refuses a limit that leaves nothing to do.
func (r *runFlags) anyHosts(p *plan.Plan) error {
	for _, play := range p.Plays {
		if len(play.Hosts) > 0 {
			return nil
		}
	}
	if r.limit == "" {
		return nil // the run tells that nothing matched
	}
	return &usageError{msg: "the limit " + r.limit + " leaves no host of any play", hint: "see what there is: runner hosts all -i …"}
}

// engineOptions let templates reach the controller by lookups.
func engineOptions(s *streams, paths []string, hidden *redact.Set) template.Options {
	dir := ""
	if len(paths) > 0 {
		dir = filepath.Dir(paths[0])
	}
	return template.Options{Dir: dir, Secret: hidden.Add, Env: s.env, Run: shellOut, Now: time.Now}
}

// withPassphrase makes targets that can ask for the passphrase of a key.
func withPassphrase(ask *secrets) func(string, map[string]any) (conn.Target, error) {
	return func(name string, connection map[string]any) (conn.Target, error) {
		t, err := target.From(name, connection)
		t.KeyPassphrase = ask.passphrase
		return t, err
	}
}

// absolute returns a path that holds wherever it is used.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// magic returns the magic variables that only the command line knows.
func (r *runFlags) magic() map[string]any {
	list := func(items []string, fallback ...any) []any {
		if len(items) == 0 {
			return fallback
		}
		out := make([]any, len(items))
		for i, item := range items {
			out[i] = item
		}
		return out
	}
	out := map[string]any{
		"ansible_run_tags":  list(r.tags, "all"),
		"ansible_skip_tags": list(r.skipTags),
		"ansible_limit":     r.limit,
		"runner_store":      absolute(r.store),
		"ansible_version":   map[string]any{"full": "2.14.0", "major": int64(2), "minor": int64(14), "revision": int64(0), "string": "2.14.0"},
	}
	if len(r.inventory.sources) > 0 && !strings.Contains(r.inventory.sources[0], ",") {
		if path, err := filepath.Abs(r.inventory.sources[0]); err == nil {
			out["inventory_file"], out["inventory_dir"] = path, filepath.Dir(path)
		}
	}
	return out
}

// hosts are the hosts of an inventory as a plan wants them.
type hosts struct {
	inv        *inventory.Inventory
	login      vars.Layer
	limit      string
	allowEmpty bool // a pattern may match nothing
	all        map[string]*plan.Host
}

func newHosts(inv *inventory.Inventory, login vars.Layer, r *runFlags) *hosts {
	h := &hosts{inv: inv, login: login, limit: r.limit, allowEmpty: r.allowEmpty, all: map[string]*plan.Host{}}
	for _, host := range inv.Hosts() {
		h.all[host.Name] = h.host(host)
	}
	return h
}

func (h *hosts) host(host *inventory.Host) *plan.Host {
	if known := h.all[host.Name]; known != nil {
		return known
	}
	stack := host.Layers()
	if len(h.login.Values) > 0 {
		stack = stack.With(h.login)
	}
	return &plan.Host{Name: host.Name, Groups: host.Groups(), Vars: stack}
}

// choose returns the hosts of patterns that the limit leaves.
func (h *hosts) choose(patterns []string) ([]*plan.Host, error) {
	found, err := h.inv.SelectList(patterns)
	if err == nil && len(found) == 0 && !h.allowEmpty {
		return nil, &inventory.PatternError{Pattern: strings.Join(patterns, ","), Msg: "no host of the inventory matches it", Hint: "to let a play without hosts pass: --allow-empty"}
	}
	if err == nil && h.limit != "" {
		found, err = h.inv.Limit(found, h.limit)
	}
	if err != nil {
		return nil, err
	}
	out := make([]*plan.Host, len(found))
	for i, host := range found {
		out[i] = h.host(host)
	}
	return out, nil
}

// shellOut runs a command of this machine for the pipe lookup.
func shellOut(ctx context.Context, script string) (string, error) {
	c, err := localconn.Dialer{}.Dial(ctx, conn.Target{})
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := c.Run(ctx, conn.Cmd{Argv: conn.Shell(script), Stdout: &out}); err != nil {
		return "", fmt.Errorf("%s: %w", script, err)
	}
	return strings.TrimRight(out.String(), "\r\n"), nil
}
