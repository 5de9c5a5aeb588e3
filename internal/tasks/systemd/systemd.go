// Package systemd owns the task kind systemd: a unit of the host's systemd,
// running or not, enabled or not.
//
// It never knows what the unit does.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "systemd", Aliases: []string{"service", "systemd_service"},
		Summary: "Starts, stops, restarts, reloads, enables or masks a unit of systemd.",
		New:     func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Other service managers are not supported. `restarted` and `reloaded` change something each time; `reloaded` starts a\n" +
	"unit that does not run. A unit that fails to start fails the task.\n\n" +
	"Returns `name`, `state`, `enabled` and `status`, which holds `LoadState`, `ActiveState`, `SubState` and\n" +
	"`UnitFileState` as they were before.\n\n" +
	"```yaml\n" +
	"- systemd: { name: docker, state: started, enabled: true }\n" +
	"  become: true\n" +
	"```\n"

type task struct {
	Name    string `arg:"name" alias:"service,unit" doc:"the unit; .service if it has no suffix"`
	State   string `arg:"state" choices:"started,stopped,restarted,reloaded" doc:"what it is to do"`
	Enabled any    `arg:"enabled" doc:"whether it starts with the host"`
	Masked  any    `arg:"masked" doc:"whether it cannot be started at all"`
	Reload  bool   `arg:"daemon_reload" alias:"daemon-reload" doc:"read the unit files first"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	for name, v := range map[string]any{"enabled": t.Enabled, "masked": t.Masked} {
		if _, err := tasks.Bool(v); v != nil && err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	switch {
	case t.Name == "" && (t.State != "" || t.Enabled != nil || t.Masked != nil):
		return errors.New("which unit? give name")
	case t.Name == "" && !t.Reload:
		return errors.New("nothing to do: give name, or daemon_reload")
	}
	return nil
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, false)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, true)
}

func (t *task) make(ctx context.Context, h tasks.Host, check bool) (tasks.Result, error) {
	var orders [][]string
	if t.Reload {
		orders = append(orders, []string{"daemon-reload"})
	}
	r := tasks.Result{Outputs: map[string]any{"name": t.Name}}
	if t.Name != "" {
		now, err := look(ctx, h, t.Name)
		if err != nil {
			return r, err
		}
		more := t.orders(now)
		r.Changed = len(more) > 0
		orders = append(orders, more...)
		r.Outputs["status"] = now.status()
		r.Outputs["state"] = t.State
		r.Outputs["enabled"] = now.enabled()
	}
	if check {
		return r, nil
	}
	for _, order := range orders {
		if err := systemctl(ctx, h, nil, order...); err != nil {
			return tasks.Result{Outputs: r.Outputs}, fmt.Errorf("systemctl %s: %w", strings.Join(order, " "), err)
		}
	}
	if t.Enabled != nil {
		r.Outputs["enabled"] = t.wants(t.Enabled)
	}
	return r, nil
}

// wants returns the value of a parameter that Validate has seen.
func (t *task) wants(v any) bool {
	b, _ := tasks.Bool(v)
	return b
}

// orders returns what systemctl must do.
func (t *task) orders(now unit) [][]string {
	var out [][]string
	order := func(verb string) { out = append(out, []string{verb, t.Name}) }
	if t.Masked != nil && t.wants(t.Masked) != now.masked() {
		order(map[bool]string{true: "mask", false: "unmask"}[t.wants(t.Masked)])
	}
	if t.Enabled != nil && t.wants(t.Enabled) != now.enabled() {
		order(map[bool]string{true: "enable", false: "disable"}[t.wants(t.Enabled)])
	}
	switch {
	case t.State == "started" && !now.runs(), t.State == "reloaded" && !now.runs():
		order("start")
	case t.State == "stopped" && now.runs():
		order("stop")
	case t.State == "restarted":
		order("restart")
	case t.State == "reloaded":
		order("reload")
	}
	return out
}

// unit is the properties of a unit.
type unit map[string]string

func (u unit) runs() bool {
	return u["ActiveState"] == "active" || u["ActiveState"] == "activating" || u["ActiveState"] == "reloading"
}

func (u unit) masked() bool { return strings.HasPrefix(u["UnitFileState"], "masked") }

// enabled is what systemctl is-enabled says, see systemctl(1).
func (u unit) enabled() bool {
	switch u["UnitFileState"] {
	case "enabled", "enabled-runtime", "static", "alias", "indirect", "generated":
		return true
	}
	return false
}

func (u unit) status() map[string]any {
	out := map[string]any{}
	for k, v := range u {
		out[k] = v
	}
	return out
}

func look(ctx context.Context, h tasks.Host, name string) (unit, error) {
	var out strings.Builder
	err := systemctl(ctx, h, &out, "show", "--property=LoadState,ActiveState,SubState,UnitFileState", "--", name)
	if err != nil {
		return nil, fmt.Errorf("systemctl show %s: %w", name, err)
	}
	u := unit{}
	for line := range strings.Lines(out.String()) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			u[key] = value
		}
	}
	if u["LoadState"] == "not-found" {
		return nil, fmt.Errorf("the host has no unit %s", name)
	}
	if u["ActiveState"] == "" {
		return nil, fmt.Errorf("systemctl says nothing about %s", name)
	}
	return u, nil
}

func systemctl(ctx context.Context, h tasks.Host, out *strings.Builder, args ...string) error {
	c := conn.Cmd{Argv: append([]string{"systemctl"}, args...)}
	if out != nil {
		c.Stdout = out
	}
	return h.Conn.Run(ctx, c)
}
