package executor

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/strictyaml"
)

// settings are the keywords of a task with their values for one host.
type settings struct {
	noLog, check, diff bool
	throttle           int
	timeout            time.Duration
	environment        map[string]string
	connection, user   string
	port               string
	become             *bool // nil: nobody said anything
	becomeUser         string
	becomeMethod       string
	becomeExe          string
	becomeFlags        string
}

// settle gives the keywords of t their values.
func (w *walk) settle(ctx context.Context, t *plan.Task, s *scope) (k settings, err error) {
	kw := t.Keywords
	for _, f := range []struct {
		node     *strictyaml.Node
		dst      *bool
		fallback bool
	}{{kw.NoLog, &k.noLog, false}, {kw.CheckMode, &k.check, w.o.Check}, {kw.Diff, &k.diff, w.o.Diff}} {
		if *f.dst, err = w.flag(ctx, f.node, s, f.fallback); err != nil {
			return k, err
		}
	}
	if kw.Become != nil {
		become, err := w.flag(ctx, kw.Become, s, false)
		if err != nil {
			return k, err
		}
		k.become = &become
	}
	for _, f := range []struct {
		node *strictyaml.Node
		dst  *string
	}{
		{kw.Connection, &k.connection}, {kw.RemoteUser, &k.user}, {kw.Port, &k.port},
		{kw.BecomeUser, &k.becomeUser}, {kw.BecomeMethod, &k.becomeMethod}, {kw.BecomeExe, &k.becomeExe}, {kw.BecomeFlags, &k.becomeFlags},
	} {
		if *f.dst, err = w.text(ctx, f.node, s); err != nil {
			return k, err
		}
	}
	throttle, err := w.number(ctx, "throttle", kw.Throttle, s, 0)
	if err != nil {
		return k, err
	}
	timeout, err := w.number(ctx, "timeout", kw.Timeout, s, 0)
	if err != nil {
		return k, err
	}
	k.throttle, k.timeout = int(throttle), time.Duration(timeout*float64(time.Second))
	k.environment, err = w.environment(ctx, kw.Environment, s)
	return k, err
}

// value expands a keyword; nil if it is not given.
func (w *walk) value(ctx context.Context, n *strictyaml.Node, s *scope) (any, error) {
	if n == nil {
		return nil, nil
	}
	v, err := (&evaluator{ctx: ctx, engine: w.o.Engine, scope: s}).Expand(n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Pos, err)
	}
	return v, nil
}

// flag returns the value of a keyword that is yes or no.
func (w *walk) flag(ctx context.Context, n *strictyaml.Node, s *scope, fallback bool) (bool, error) {
	v, err := w.value(ctx, n, s)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case nil:
		return fallback, nil
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "yes", "true", "on", "1", "y", "t":
			return true, nil
		case "no", "false", "off", "0", "n", "f", "":
			return false, nil
		}
	}
	return false, fmt.Errorf("%s: %v is neither true nor false", n.Pos, v)
}

// number returns the value of a keyword that is a number.
func (w *walk) number(ctx context.Context, name string, n *strictyaml.Node, s *scope, fallback float64) (float64, error) {
	v, err := w.value(ctx, n, s)
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case nil:
		return fallback, nil
	case int64:
		return float64(v), nil
	case int:
		return float64(v), nil
	case float64:
		return v, nil
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f, nil
		}
	}
	return 0, fmt.Errorf("%s: %s must be a number, this is %v", n.Pos, name, v)
}

// text returns the value of a keyword that is a text, empty if it is not
// given.
func (w *walk) text(ctx context.Context, n *strictyaml.Node, s *scope) (string, error) {
	v, err := w.value(ctx, n, s)
	if v == nil || err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}

// environment merges what the levels say, the innermost last. Each is a
// mapping, or a list of them.
func (w *walk) environment(ctx context.Context, nodes []*strictyaml.Node, s *scope) (map[string]string, error) {
	env := map[string]string{}
	for _, n := range nodes {
		v, err := w.value(ctx, n, s)
		if err != nil {
			return nil, err
		}
		layers, isList := v.([]any)
		if !isList {
			layers = []any{v}
		}
		for _, layer := range layers {
			m, ok := layer.(map[string]any)
			if !ok && layer != nil {
				return nil, fmt.Errorf("%s: environment must be a mapping", n.Pos)
			}
			for name, value := range maps.All(m) {
				env[name] = fmt.Sprint(value)
			}
		}
	}
	return env, nil
}
