package executor

import (
	"fmt"
	"maps"
	"slices"
)

// withItems returns the items of a with_ form. What needs files or the
// network of the controller is a lookup and no form of a loop here.
func withItems(form string, v any) ([]any, error) {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	switch form {
	case "list":
		return list, nil
	case "items":
		return flatten(list, 1), nil
	case "flattened":
		return flatten(list, -1), nil
	case "dict":
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("with_dict needs a mapping, this is %T", v)
		}
		var out []any
		for _, key := range slices.Sorted(maps.Keys(m)) {
			out = append(out, map[string]any{"key": key, "value": m[key]})
		}
		return out, nil
	case "indexed_items":
		var out []any
		for i, item := range flatten(list, 1) {
			out = append(out, []any{int64(i), item})
		}
		return out, nil
	case "together":
		return together(list)
	case "nested", "cartesian":
		return nested(list)
	}
	return nil, fmt.Errorf("with_%s is not supported; write loop: with a list", form)
}

// flatten puts the items of lists within list in their place, so many levels
// deep; all of them if levels is negative.
func flatten(list []any, levels int) []any {
	out := []any{}
	for _, item := range list {
		if inner, ok := item.([]any); ok && levels != 0 {
			if levels == 1 {
				out = append(out, inner...)
			} else {
				out = append(out, flatten(inner, levels-1)...)
			}
			continue
		}
		out = append(out, item)
	}
	return out
}

// together pairs the lists up; a shorter one is filled with nothing.
func together(lists []any) ([]any, error) {
	longest := 0
	for i, l := range lists {
		inner, ok := l.([]any)
		if !ok {
			return nil, fmt.Errorf("with_together needs lists, item %d is %T", i+1, l)
		}
		longest = max(longest, len(inner))
	}
	out := make([]any, longest)
	for n := range longest {
		row := make([]any, len(lists))
		for i, l := range lists {
			if inner := l.([]any); n < len(inner) {
				row[i] = inner[n]
			}
		}
		out[n] = row
	}
	return out, nil
}

// nested returns every combination of one item of each list.
func nested(lists []any) ([]any, error) {
	rows := [][]any{nil}
	for _, l := range lists {
		inner, ok := l.([]any)
		if !ok {
			inner = []any{l}
		}
		var longer [][]any
		for _, row := range rows {
			for _, item := range inner {
				longer = append(longer, append(slices.Clone(row), item))
			}
		}
		if len(longer) > 1_000_000 {
			return nil, fmt.Errorf("with_nested makes %d combinations", len(longer))
		}
		rows = longer
	}
	out := make([]any, len(rows))
	for i, row := range rows {
		out[i] = row
	}
	return out, nil
}
