package conn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Route is a Dialer that hands a target to the Dialer of its Connection.
type Route map[string]Dialer

var _ Dialer = Route{}

// Dial implements Dialer. A Target without a Connection is for "ssh".
func (r Route) Dial(ctx context.Context, t Target) (Conn, error) {
	kind := t.Connection
	if kind == "" {
		kind = "ssh"
	}
	d, ok := r[kind]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(r)), ", ")
		return nil, &DialError{Target: t, Stage: StageConfig, Err: fmt.Errorf("there is no connection %q", kind), Hint: "ansible_connection must be one of: " + known}
	}
	return d.Dial(ctx, t)
}

// Close implements Dialer.
func (r Route) Close() error {
	var errs []error
	for _, d := range r {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}
