package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/vars"
)

// errItems is the failure of a loop of which an item failed; the items have
// told why.
var errItems = errors.New("one or more items failed")

// loop runs the task for each item.
func (w *walk) loop(ctx context.Context, t *plan.Task, s *scope) outcome {
	items, err := w.items(ctx, t, s)
	if err != nil {
		// What a condition rules out need not have a list to loop over.
		if why, condErr := w.conditions(ctx, t.When, s); condErr == nil && why != "" {
			return outcome{skipped: true, result: map[string]any{"changed": false, "skipped": true, "skip_reason": "Conditional result was False", "false_condition": why}}
		}
		return outcome{result: notBegun(err), err: err}
	}
	sum := outcome{looped: true, skipped: true}
	results := make([]any, 0, len(items))
	for i, item := range items {
		if i > 0 {
			if err := w.pause(ctx, t, s); err != nil {
				sum.err = err
				break
			}
		}
		o := w.item(ctx, t, s, items, i)
		o.result[t.Loop.Var], o.result["ansible_loop_var"] = item, t.Loop.Var
		results = append(results, o.result)
		sum.quiet = sum.quiet || o.quiet
		sum.changed = sum.changed || o.changed
		sum.skipped = sum.skipped && o.skipped
		for name, value := range o.facts {
			if sum.facts == nil {
				sum.facts = map[string]any{}
			}
			sum.facts[name] = value
		}
		if o.err == nil {
			continue
		}
		sum.err = errItems
		if _, lost := connectionFailure(o.err); lost || context.Cause(ctx) != nil {
			sum.err = o.err
			break
		}
	}
	sum.result = map[string]any{"results": results, "changed": sum.changed, "failed": sum.err != nil, "msg": "All items completed"}
	switch {
	case len(items) == 0:
		sum.result["skipped"], sum.result["skipped_reason"], sum.result["msg"] = true, "No items in the list", ""
	case sum.skipped:
		sum.result["skipped"], sum.result["msg"] = true, "All items skipped"
	case sum.err != nil:
		sum.result["msg"] = sum.err.Error()
	}
	return sum
}

// item runs the task for one item and tells about it.
func (w *walk) item(ctx context.Context, t *plan.Task, s *scope, items []any, i int) outcome {
	began := w.o.Now()
	in := s.plus(vars.IncludeParams, w.loopVars(t.Loop, items, i))
	o := w.single(ctx, t, in)
	if o.err != nil {
		o.ignored = w.ignores(ctx, t, in, o.err)
	}
	label := fmt.Sprint(items[i])
	if t.Loop.Label != nil {
		if text, err := w.text(ctx, t.Loop.Label, in); err == nil {
			label = text
		}
	} else if text, err := in.expandText(ctx, w.o.Engine, "{{ "+t.Loop.Var+" }}"); err == nil {
		label = text // as Python shows it
	}
	e := w.report(ctx, t, o, o.status(ctx, w.rescues > 0))
	e.Took = e.Time.Sub(began)
	if o.quiet {
		label = "(censored due to no_log)"
	}
	w.emit(event.ItemFinished{StepFinished: e, Label: w.mask(label)})
	return o
}

// loopVars returns the variables of one round.
func (w *walk) loopVars(l *plan.Loop, items []any, i int) map[string]any {
	values := map[string]any{l.Var: items[i]}
	if l.IndexVar != "" {
		values[l.IndexVar] = int64(i)
	}
	if l.Extended {
		n := len(items)
		ext := map[string]any{
			"index": int64(i + 1), "index0": int64(i), "revindex": int64(n - i), "revindex0": int64(n - i - 1),
			"first": i == 0, "last": i == n-1, "length": int64(n), "allitems": items,
		}
		if i > 0 {
			ext["previtem"] = items[i-1]
		}
		if i < n-1 {
			ext["nextitem"] = items[i+1]
		}
		values["ansible_loop"] = ext
	}
	return values
}

func (w *walk) pause(ctx context.Context, t *plan.Task, s *scope) error {
	seconds, err := w.number(ctx, "pause", t.Loop.Pause, s, 0)
	if err != nil || seconds <= 0 {
		return err
	}
	return sleep(ctx, time.Duration(seconds*float64(time.Second)))
}

// items returns what to loop over.
func (w *walk) items(ctx context.Context, t *plan.Task, s *scope) ([]any, error) {
	v, err := w.value(ctx, t.Loop.Items, s)
	if err != nil {
		return nil, err
	}
	if t.Loop.Lookup == "" {
		list, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("%s: loop must be a list, this is %T", t.Loop.Items.Pos, v)
		}
		return list, nil
	}
	return withItems(t.Loop.Lookup, v)
}
