// Package setfact owns the task kind set_fact: variables set on a host.
//
// It never touches the host itself.
package setfact

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "set_fact", AnyArgs: true, Summary: "Sets variables of the host for the rest of the run.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "Every key is a variable. A value keeps its type. Such variables win over those of plays, blocks and tasks, but not\n" +
	"over `-e`.\n\n" +
	"```yaml\n" +
	"- set_fact:\n" +
	"    db_path: \"{{ torrust_root }}/storage/tracker/lib/database/tracker.db\"\n" +
	"    keep: 14\n" +
	"```\n"

type task struct {
	Facts     map[string]any `arg:",rest"`
	Cacheable bool           `arg:"cacheable" doc:"must be false: variables live as long as the run"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)

	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if t.Cacheable {
		return errors.New("cacheable is not supported: variables live as long as the run")
	}
	if len(t.Facts) == 0 {
		return errors.New("no variable given")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Facts)) {
		if !identifier.MatchString(name) {
			return fmt.Errorf("%q cannot be the name of a variable: use letters, digits and _", name)
		}
	}
	return nil
}

// Run implements tasks.Task.
func (t *task) Run(context.Context, tasks.Host) (tasks.Result, error) {
	return tasks.Result{Facts: t.Facts, Outputs: map[string]any{"ansible_facts": maps.Clone(t.Facts)}}, nil
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) { return t.Run(ctx, h) }
