package taskstest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tasks"
)

// Values is a tasks.Evaluator without templates: expressions have the values
// that are listed, errors included.
type Values map[string]any

// Expand implements tasks.Evaluator.
func (Values) Expand(n *strictyaml.Node) (any, error) { return n.Native(nil) }

// Eval implements tasks.Evaluator.
func (v Values) Eval(expr string) (any, error) {
	value, ok := v[expr]
	if err, bad := value.(error); bad {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("the test has no value for %q", expr)
	}
	return value, nil
}

// Decode makes a task from its arguments in YAML.
func Decode(spec tasks.Spec, args string, values Values) (tasks.Task, error) {
	node, err := strictyaml.ParseOne("task.yml", []byte(args))
	if err != nil {
		return nil, err
	}
	at := diag.Pos{File: "task.yml", Line: 1, Col: 1}
	if err := spec.Check(node, at); err != nil {
		return nil, err
	}
	return spec.Decode(node, at, values)
}

// Make is Decode for arguments that are right.
func Make(t testing.TB, spec tasks.Spec, args string) tasks.Task {
	t.Helper()
	task, err := Decode(spec, args, nil)
	must(t, err)
	return task
}

// Run makes a task and runs it.
func (h *Host) Run(t testing.TB, spec tasks.Spec, args string) (tasks.Result, error) {
	t.Helper()
	return Make(t, spec, args).Run(t.Context(), h.Host)
}

// Check makes a task and runs it in check mode. Nothing below root may change.
func (h *Host) Check(t testing.TB, spec tasks.Spec, args, root string) (tasks.Result, error) {
	t.Helper()
	checker, ok := Make(t, spec, args).(tasks.Checker)
	if !ok {
		t.Fatalf("%s has no check mode", spec.Name)
	}
	before := fmt.Sprint(Tree(t, root))
	r, err := checker.Check(t.Context(), h.Host)
	if after := fmt.Sprint(Tree(t, root)); after != before {
		t.Errorf("check mode of %s changed the host:\n%s\n%s", spec.Name, before, after)
	}
	return r, err
}

// Mistake returns what is wrong with arguments.
func Mistake(t testing.TB, spec tasks.Spec, args string) string {
	t.Helper()
	_, err := Decode(spec, args, nil)
	if err == nil {
		t.Fatalf("%s accepts %s", spec.Name, args)
	}
	var list diag.List
	if errors.As(err, &list) && len(list) == 1 {
		return list[0].Msg
	}
	return err.Error()
}
