package executor

import (
	"context"
	"fmt"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/vars"
)

// include walks through the steps of an include_tasks or include_role if its
// conditions hold; once for each item of its loop.
func (w *walk) include(ctx context.Context, t *plan.Task, inc plan.Include) flow {
	began := w.o.Now()
	w.tellTask(t)
	s := w.scope(t)
	rounds := [][]vars.Layer{nil}
	if t.Loop != nil {
		items, err := w.items(ctx, t, s)
		if err != nil {
			return w.finish(ctx, t, outcome{result: notBegun(err), err: err}, began)
		}
		rounds = nil
		for i := range items {
			layer := vars.Layer{Level: vars.IncludeParams, Source: "loop", Values: w.loopVars(t.Loop, items, i), Literal: true}
			rounds = append(rounds, []vars.Layer{layer})
		}
	}
	outer, taken := w.included, 0
	defer func() { w.included = outer }()
	for _, layers := range rounds {
		w.included = append(outer[:len(outer):len(outer)], layers...)
		why, err := w.conditions(ctx, t.When, w.scope(t))
		if err != nil {
			return w.finish(ctx, t, outcome{result: notBegun(err), err: err}, began)
		}
		if why != "" {
			continue
		}
		if taken++; taken == 1 {
			o := outcome{result: map[string]any{"changed": false, "include": inc.What}, note: fmt.Sprintf("included: %s", inc.What)}
			if f := w.finish(ctx, t, o, began); f != goOn {
				return f
			}
		}
		if f := w.steps(ctx, inc.Steps); f != goOn {
			return f
		}
	}
	if taken == 0 {
		return w.finish(ctx, t, outcome{skipped: true, result: map[string]any{"changed": false, "skipped": true, "skip_reason": "Conditional result was False"}}, began)
	}
	return goOn
}
