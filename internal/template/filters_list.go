package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func listFilters() map[string]filterFunc {
	return map[string]filterFunc{
		"length": filterLength, "count": filterLength, "list": func(_ *run, v any, _ arguments) (any, error) { return items(v) },
		"join": filterJoin, "first": filterEnd(0), "last": filterEnd(-1), "sort": filterSort, "unique": filterUnique, "reverse": filterReverse,
		"map": filterMap, "select": filterSelect(true, false), "reject": filterSelect(false, false),
		"selectattr": filterSelect(true, true), "rejectattr": filterSelect(false, true),
		"min": filterExtreme(-1), "max": filterExtreme(1), "sum": filterSum, "flatten": filterFlatten,
		"difference": filterSets(func(inA, inB bool) bool { return inA && !inB }), "intersect": filterSets(func(inA, inB bool) bool { return inA && inB }),
		"union": filterSets(func(inA, inB bool) bool { return inA || inB }), "symmetric_difference": filterSets(func(inA, inB bool) bool { return inA != inB }),
		"dict2items": filterDict2items, "items2dict": filterItems2dict, "combine": filterCombine, "dictsort": filterDictsort,
		"zip": filterZip, "batch": filterBatch, "product": filterProduct, "groupby": filterGroupby, "subelements": filterSubelements, "extract": filterExtract,
		"attr": func(r *run, v any, a arguments) (any, error) {
			name, err := a.text(0, "name", "")
			if err != nil {
				return nil, err
			}
			return r.member(v, name)
		},
		"items": func(_ *run, v any, _ arguments) (any, error) {
			m, err := wantMap(v)
			return pairs(m), err
		},
	}
}

func pairs(m map[string]any) []any {
	out := make([]any, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, []any{k, m[k]})
	}
	return out
}

func filterLength(_ *run, v any, _ arguments) (any, error) {
	l, err := items(v)
	return int64(len(l)), err
}

func filterJoin(r *run, v any, a arguments) (any, error) {
	sep, err := a.text(0, "d", "")
	if err != nil {
		return nil, err
	}
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	attr, byAttr := a.get(1, "attribute")
	var out output
	for i, it := range l {
		if byAttr {
			if it, err = r.path(it, str(attr)); err != nil {
				return nil, err
			}
		}
		if i > 0 {
			err = out.add(sep)
		}
		if err := errors.Join(err, out.add(str(it))); err != nil {
			return nil, err
		}
	}
	return out.String(), nil
}

func filterEnd(at int) filterFunc {
	return func(_ *run, v any, _ arguments) (any, error) {
		l, err := wantList(v)
		if err != nil {
			return nil, err
		}
		if len(l) == 0 {
			return undefined{&UndefinedError{Name: "an item of an empty list"}}, nil
		}
		if at < 0 {
			return l[len(l)-1], nil
		}
		return l[0], nil
	}
}

// path follows a dotted name into a value; numbers are indexes.
func (r *run) path(v any, dotted string) (any, error) {
	for part := range strings.SplitSeq(dotted, ".") {
		var err error
		if l, ok := v.([]any); ok {
			var n int
			if _, scanErr := fmt.Sscan(part, &n); scanErr == nil && n >= 0 && n < len(l) {
				v = l[n]
				continue
			}
		}
		if v, err = r.member(v, part); err != nil {
			return nil, err
		}
	}
	return defined(v)
}

func filterSort(r *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	attr, byAttr := a.get(2, "attribute")
	fold := !a.flag(1, "case_sensitive", false)
	type keyed struct{ key, v any }
	all := make([]keyed, len(l))
	for i, it := range l {
		key := it
		if byAttr {
			if key, err = r.path(it, str(attr)); err != nil {
				return nil, err
			}
		}
		if s, ok := key.(string); ok && fold {
			key = strings.ToLower(s)
		}
		all[i] = keyed{key, it}
	}
	var failed error
	slices.SortStableFunc(all, func(x, y keyed) int {
		c, err := order(x.key, y.key)
		if err != nil {
			failed = err
		}
		return c
	})
	if failed != nil {
		return nil, failed
	}
	out := make([]any, len(all))
	for i, k := range all {
		out[i] = k.v
	}
	if a.flag(0, "reverse", false) {
		slices.Reverse(out)
	}
	return out, nil
}

// filterUnique keeps the first of equals; as in Jinja texts that differ only by
// case are equal, unless it is told otherwise.
func filterUnique(_ *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if err != nil || a.flag(0, "case_sensitive", false) {
		return distinct(l), err
	}
	out, seen := []any{}, []any{}
	for _, it := range l {
		key := it
		if text, ok := it.(string); ok {
			key = strings.ToLower(text)
		}
		if !has(seen, key) {
			out, seen = append(out, it), append(seen, key)
		}
	}
	return out, nil
}

func distinct(l []any) []any {
	out := []any{}
	for _, it := range l {
		if !has(out, it) {
			out = append(out, it)
		}
	}
	return out
}

func has(l []any, v any) bool {
	return slices.ContainsFunc(l, func(x any) bool { return equal(x, v) })
}

func filterReverse(_ *run, v any, _ arguments) (any, error) {
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(l)
	slices.Reverse(out)
	if _, ok := v.(string); ok {
		var b strings.Builder
		for _, c := range out {
			b.WriteString(str(c))
		}
		return b.String(), nil
	}
	return out, nil
}

// filterMap applies a filter to each item, or takes an attribute of it.
func filterMap(r *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(l))
	attr, byAttr := a.kw["attribute"]
	fallback, hasFallback := a.kw["default"]
	for _, it := range l {
		var x any
		switch {
		case byAttr:
			x, err = r.path(it, str(attr))
			if _, missing := errors.AsType[*UndefinedError](err); missing && hasFallback {
				x, err = fallback, nil
			}
		case len(a.list) > 0:
			f, ok := r.e.filters[str(a.list[0])]
			if !ok {
				return nil, fmt.Errorf("there is no filter '%s'", str(a.list[0]))
			}
			x, err = f(r, it, arguments{a.list[1:], a.kw})
		default:
			return nil, errors.New("it needs the name of a filter, or attribute=")
		}
		if err == nil {
			x, err = defined(x)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// filterSelect keeps or drops the items for which a test holds.
func filterSelect(keep, byAttr bool) filterFunc {
	return func(r *run, v any, a arguments) (any, error) {
		l, err := wantList(v)
		if err != nil {
			return nil, err
		}
		args := a.list
		attr := ""
		if byAttr {
			if len(args) == 0 {
				return nil, errors.New("it needs the name of an attribute")
			}
			attr, args = str(args[0]), args[1:]
		}
		var check testFunc
		if len(args) > 0 {
			ok := false
			if check, ok = r.e.tests[str(args[0])]; !ok {
				return nil, fmt.Errorf("there is no test '%s'", str(args[0]))
			}
			args = args[1:]
		}
		out := []any{}
		for _, it := range l {
			x := it
			if byAttr {
				x, err = r.path(it, attr)
				if u, missing := errors.AsType[*UndefinedError](err); missing {
					x, err = undefined{u}, nil
				}
				if err != nil {
					return nil, err
				}
			}
			_, missing := x.(undefined)
			yes := !missing && truthy(x)
			if check != nil {
				if yes, err = check(r, x, arguments{list: args}); err != nil {
					return nil, err
				}
			}
			if yes == keep {
				out = append(out, it)
			}
		}
		return out, nil
	}
}

func filterExtreme(sign int) filterFunc {
	return func(r *run, v any, a arguments) (any, error) {
		l, err := wantList(v)
		if err != nil {
			return nil, err
		}
		if len(l) == 0 {
			return undefined{&UndefinedError{Name: "an item of an empty list"}}, nil
		}
		attr, byAttr := a.kw["attribute"]
		key := func(x any) (any, error) {
			if byAttr {
				return r.path(x, str(attr))
			}
			return x, nil
		}
		best := l[0]
		for _, x := range l[1:] {
			kx, errX := key(x)
			kb, errB := key(best)
			c, err := order(kx, kb)
			if err := errors.Join(errX, errB, err); err != nil {
				return nil, err
			}
			if c*sign > 0 {
				best = x
			}
		}
		return best, nil
	}
}

func filterSum(r *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	var out any = int64(0)
	if start, ok := a.get(1, "start"); ok {
		out = start
	}
	attr, byAttr := a.get(0, "attribute")
	for _, x := range l {
		if byAttr {
			if x, err = r.path(x, str(attr)); err != nil {
				return nil, err
			}
		}
		if out, err = operate("+", out, x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func filterFlatten(_ *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	levels, err := a.int(0, "levels", -1)
	if err != nil {
		return nil, err
	}
	skipNulls := a.flag(1, "skip_nulls", true)
	var out []any
	var walk func(l []any, levels int64)
	walk = func(l []any, levels int64) {
		for _, x := range l {
			if inner, ok := x.([]any); ok && levels != 0 {
				walk(inner, levels-1)
			} else if x != nil || !skipNulls {
				out = append(out, x)
			}
		}
	}
	walk(l, levels)
	if out == nil {
		out = []any{}
	}
	return out, nil
}

func filterSets(keep func(inA, inB bool) bool) filterFunc {
	return func(_ *run, v any, a arguments) (any, error) {
		x, err := wantList(v)
		if err != nil {
			return nil, err
		}
		if len(a.list) != 1 {
			return nil, errors.New("it needs another list")
		}
		y, err := wantList(a.list[0])
		if err != nil {
			return nil, err
		}
		out := []any{}
		for _, it := range distinct(append(slices.Clone(x), y...)) {
			if keep(has(x, it), has(y, it)) {
				out = append(out, it)
			}
		}
		return out, nil
	}
}

func filterDict2items(_ *run, v any, a arguments) (any, error) {
	m, err := wantMap(v)
	if err != nil {
		return nil, err
	}
	key, errKey := a.text(0, "key_name", "key")
	value, errValue := a.text(1, "value_name", "value")
	out := make([]any, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, map[string]any{key: k, value: m[k]})
	}
	return out, errors.Join(errKey, errValue)
}

func filterItems2dict(_ *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	key, errKey := a.text(0, "key_name", "key")
	value, errValue := a.text(1, "value_name", "value")
	out := map[string]any{}
	for _, it := range l {
		m, err := wantMap(it)
		if err != nil {
			return nil, err
		}
		k, ok := m[key]
		if !ok {
			return nil, fmt.Errorf("an item has no %q", key)
		}
		out[str(k)] = m[value]
	}
	return out, errors.Join(errKey, errValue)
}

func filterCombine(_ *run, v any, a arguments) (any, error) {
	how := merging{lists: "replace"}
	if f, ok := a.kw["recursive"]; ok {
		how.recursive = truthy(f)
	}
	if l, ok := a.kw["list_merge"]; ok {
		how.lists = str(l)
	}
	if !slices.Contains(listMerges, how.lists) {
		return nil, fmt.Errorf("list_merge is %q; it must be one of %s", how.lists, strings.Join(listMerges, ", "))
	}
	all := flattenMaps(append([]any{v}, a.list...))
	out := map[string]any{}
	for _, x := range all {
		m, err := wantMap(x)
		if err != nil {
			return nil, err
		}
		out = how.merged(out, m)
	}
	return out, nil
}

func flattenMaps(l []any) []any {
	var out []any
	for _, x := range l {
		if inner, ok := x.([]any); ok {
			out = append(out, flattenMaps(inner)...)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// merging says how mappings are combined.
type merging struct {
	recursive bool
	lists     string
}

var listMerges = []string{"replace", "keep", "append", "prepend", "append_rp", "prepend_rp"}

func (how merging) merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	for k, v := range b {
		x, isMap := out[k].(map[string]any)
		y, alsoMap := v.(map[string]any)
		l, isList := out[k].([]any)
		m, alsoList := v.([]any)
		switch {
		case how.recursive && isMap && alsoMap:
			v = how.merged(x, y)
		case isList && alsoList:
			v = how.list(l, m)
		}
		out[k] = v
	}
	return out
}

func (how merging) list(a, b []any) []any {
	without := func(list, gone []any) []any {
		return slices.DeleteFunc(slices.Clone(list), func(v any) bool { return has(gone, v) })
	}
	switch how.lists {
	case "keep":
		return a
	case "append":
		return slices.Concat(a, b)
	case "prepend":
		return slices.Concat(b, a)
	case "append_rp":
		return slices.Concat(without(a, b), b)
	case "prepend_rp":
		return slices.Concat(b, without(a, b))
	}
	return b
}

func filterDictsort(_ *run, v any, a arguments) (any, error) {
	m, err := wantMap(v)
	if err != nil {
		return nil, err
	}
	out := pairs(m)
	by, err := a.text(1, "by", "key")
	if err != nil {
		return nil, err
	}
	column := 0
	if by == "value" {
		column = 1
	}
	var failed error
	fold := !a.flag(0, "case_sensitive", false)
	slices.SortStableFunc(out, func(x, y any) int {
		a, b := x.([]any)[column], y.([]any)[column]
		if s, ok := a.(string); ok && fold {
			a = strings.ToLower(s)
		}
		if s, ok := b.(string); ok && fold {
			b = strings.ToLower(s)
		}
		c, err := order(a, b)
		if err != nil {
			failed = err
		}
		return c
	})
	if a.flag(2, "reverse", false) {
		slices.Reverse(out)
	}
	return out, failed
}

func filterZip(_ *run, v any, a arguments) (any, error) {
	lists := make([][]any, 0, len(a.list)+1)
	shortest := maxElements
	for _, x := range append([]any{v}, a.list...) {
		l, err := wantList(x)
		if err != nil {
			return nil, err
		}
		lists, shortest = append(lists, l), min(shortest, len(l))
	}
	out := make([]any, shortest)
	for i := range out {
		row := make([]any, len(lists))
		for j, l := range lists {
			row[j] = l[i]
		}
		out[i] = row
	}
	return out, nil
}

func filterBatch(_ *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if err != nil {
		return nil, err
	}
	n, err := a.int(0, "linecount", 0)
	if err != nil || n < 1 || n > maxElements {
		return nil, errors.Join(err, errors.New("it needs how many items a batch has"))
	}
	out := []any{}
	for chunk := range slices.Chunk(l, int(n)) {
		row := slices.Clone(chunk)
		if fill, ok := a.get(1, "fill_with"); ok {
			for int64(len(row)) < n {
				row = append(row, fill)
			}
		}
		out = append(out, row)
	}
	return out, nil
}

func filterProduct(_ *run, v any, a arguments) (any, error) {
	rows := [][]any{nil}
	for _, x := range append([]any{v}, a.list...) {
		l, err := wantList(x)
		if err != nil {
			return nil, err
		}
		if len(rows)*len(l) > maxElements {
			return nil, errTooLarge
		}
		var longer [][]any
		for _, row := range rows {
			for _, it := range l {
				longer = append(longer, append(slices.Clone(row), it))
			}
		}
		rows = longer
	}
	out := make([]any, len(rows))
	for i, row := range rows {
		out[i] = row
	}
	return out, nil
}

func filterGroupby(r *run, v any, a arguments) (any, error) {
	attr, err := a.text(0, "attribute", "")
	if err != nil {
		return nil, err
	}
	sorted, err := filterSort(r, v, arguments{kw: map[string]any{"attribute": attr}})
	if err != nil {
		return nil, err
	}
	out := []any{}
	var last []any
	for _, x := range sorted.([]any) {
		key, err := r.path(x, attr)
		if err != nil {
			return nil, err
		}
		if last == nil || !equal(last[0], key) {
			last = []any{key, []any{}}
			out = append(out, last)
		}
		last[1] = append(last[1].([]any), x)
	}
	return out, nil
}

func filterSubelements(r *run, v any, a arguments) (any, error) {
	l, err := wantList(v)
	if m, ok := v.(map[string]any); ok {
		l = nil
		for _, k := range slices.Sorted(maps.Keys(m)) {
			l = append(l, m[k])
		}
	}
	if err != nil {
		return nil, err
	}
	attr, err := a.text(0, "subelements", "")
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, x := range l {
		inner, err := r.path(x, attr)
		if _, missing := errors.AsType[*UndefinedError](err); missing && a.flag(1, "skip_missing", false) {
			continue
		}
		if err != nil {
			return nil, err
		}
		parts, ok := inner.([]any)
		if !ok {
			return nil, fmt.Errorf("%q is no list", attr)
		}
		for _, p := range parts {
			out = append(out, []any{x, p})
		}
	}
	return out, nil
}

func filterExtract(r *run, v any, a arguments) (any, error) {
	if len(a.list) < 1 {
		return nil, errors.New("it needs what to extract from")
	}
	keys := []any{v}
	if more, ok := a.get(1, "morekeys"); ok {
		if l, isList := more.([]any); isList {
			keys = append(keys, l...)
		} else {
			keys = append(keys, more)
		}
	}
	out := a.list[0]
	for _, k := range keys {
		var err error
		if l, ok := out.([]any); ok {
			if n, isInt := integer(k); isInt && n >= 0 && n < int64(len(l)) {
				out = l[n]
				continue
			}
		}
		if out, err = r.member(out, str(k)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
