package template

import (
	"fmt"
	"slices"
	"strings"
)

// output collects a text within its bound.
type output struct{ strings.Builder }

func (o *output) add(s string) error {
	if o.Len()+len(s) > maxOutput {
		return errTooLarge
	}
	o.WriteString(s)
	return nil
}

func (r *run) render(body []stmt, out *output) error {
	for _, s := range body {
		if err := r.statement(s, out); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) statement(s stmt, out *output) error {
	if err := r.step(); err != nil {
		return err
	}
	switch s := s.(type) {
	case textNode:
		return out.add(s.text)
	case outputNode:
		v, err := r.value(s.x)
		if err != nil {
			return err
		}
		if v == nil {
			return out.add("None")
		}
		return out.add(str(v))
	case ifNode:
		for i, cond := range s.conds {
			v, err := r.value(cond)
			if err != nil {
				return err
			}
			if truthy(v) {
				return r.render(s.bodies[i], out)
			}
		}
		if len(s.bodies) > len(s.conds) {
			return r.render(s.bodies[len(s.conds)], out)
		}
	case forNode:
		return r.forLoop(s, out)
	case setNode:
		return r.set(s)
	}
	return nil
}

func (r *run) set(s setNode) error {
	var v any
	var err error
	if s.x != nil {
		v, err = r.value(s.x)
	} else {
		var text output
		err = r.render(s.body, &text)
		v = text.String()
	}
	if err != nil {
		return err
	}
	return r.assign(s.names, v)
}

// assign gives names their values; several names take a list apart.
func (r *run) assign(names []string, v any) error {
	if r.local == nil {
		r.local = map[string]any{}
	}
	if len(names) == 1 {
		if of, member, ok := strings.Cut(names[0], "."); ok {
			return r.assignMember(of, member, v)
		}
		r.local[names[0]] = v
		return nil
	}
	list, err := items(v)
	if err != nil {
		return err
	}
	if len(list) != len(names) {
		return fmt.Errorf("%d names, but %d values", len(names), len(list))
	}
	for i, n := range names {
		r.local[n] = list[i]
	}
	return nil
}

// forLoop renders its body for each item. What a round sets is gone after it,
// as in Jinja.
func (r *run) forLoop(f forNode, out *output) error {
	in, err := r.value(f.in)
	if err != nil {
		return err
	}
	all, err := items(in)
	if err != nil {
		return err
	}
	outer := r.local
	defer func() { r.local = outer }()
	var chosen []any
	for _, v := range all {
		if f.filter != nil {
			r.enter(outer)
			if err := r.assign(f.names, v); err != nil {
				return err
			}
			yes, err := r.value(f.filter)
			if err != nil {
				return err
			}
			if !truthy(yes) {
				continue
			}
		}
		chosen = append(chosen, v)
	}
	if len(chosen) == 0 {
		r.local = outer
		return r.render(f.none, out)
	}
	for i, v := range chosen {
		r.enter(outer)
		if err := r.assign(f.names, v); err != nil {
			return err
		}
		r.local["loop"] = loopValue(chosen, i)
		if err := r.render(f.body, out); err != nil {
			return err
		}
	}
	return nil
}

// enter begins a scope within another.
func (r *run) enter(outer map[string]any) {
	r.local = make(map[string]any, len(outer)+4)
	for k, v := range outer {
		r.local[k] = v
	}
}

func loopValue(all []any, i int) map[string]any {
	n := int64(len(all))
	l := map[string]any{
		"index": int64(i + 1), "index0": int64(i), "revindex": n - int64(i), "revindex0": n - int64(i) - 1,
		"first": i == 0, "last": int64(i) == n-1, "length": n, "depth": int64(1), "depth0": int64(0),
	}
	if i > 0 {
		l["previtem"] = all[i-1]
	}
	if int64(i) < n-1 {
		l["nextitem"] = all[i+1]
	}
	return l
}

// expand expands every template within v, deeply.
func (r *run) expand(v any) (any, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		return r.expandText(v)
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			x, err := r.expand(item)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			x, err := r.expand(item)
			if err != nil {
				return nil, err
			}
			out[key] = x // keys are never expanded, as in Ansible
		}
		return out, nil
	case Scope:
		return v, nil
	}
	return normal(v), nil
}

// expandText expands the templates of a text. A text that is one expression
// has the value of that, whatever its type.
func (r *run) expandText(text string) (any, error) {
	if !strings.Contains(text, "{{") && !strings.Contains(text, "{%") && !strings.Contains(text, "{#") {
		return text, nil
	}
	body, err := r.e.parsed(text)
	if err != nil {
		return nil, positioned(text, err)
	}
	if len(body) == 1 {
		if o, ok := body[0].(outputNode); ok {
			v, err := r.value(o.x)
			return retyped(o.x, v), err
		}
	}
	var out output
	if err := r.render(body, &out); err != nil {
		return nil, err
	}
	return asLiteral(out.String()), nil
}

// retyped applies asLiteral to the text that an expression gives, unless its
// last filter is one that is there to make a text.
func retyped(x expr, v any) any {
	text, isText := v.(string)
	if !isText || makesText(x) {
		return v
	}
	return asLiteral(text)
}

// makesText tells whether the value of x may come of a filter that is there to
// make a text.
func makesText(x expr) bool {
	switch x := x.(type) {
	case filter:
		return slices.Contains([]string{"string", "to_json", "to_nice_json", "tojson"}, x.name)
	case choice:
		return makesText(x.then) || x.otherwise != nil && makesText(x.otherwise)
	case binary:
		return (x.op == "and" || x.op == "or") && (makesText(x.x) || makesText(x.y))
	}
	return false
}

// asLiteral makes a list, a mapping or a boolean of a text that looks like
// one, as Ansible does with what a template gives.
func asLiteral(text string) any {
	if text != "True" && text != "False" && !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
		return text
	}
	x, err := parseExpr(text, 0, len(text))
	if err != nil {
		return text
	}
	v, ok := literalValue(x)
	if !ok {
		return text
	}
	return v
}

// literalValue returns the value of an expression that holds literals only.
func literalValue(x expr) (any, bool) {
	switch x := x.(type) {
	case literal:
		return x.value, true
	case unary:
		v, ok := literalValue(x.x)
		if !ok || x.op == "not" {
			return nil, false
		}
		if n, isInt := v.(int64); isInt && x.op == "-" {
			return -n, true
		}
		f, isFloat := v.(float64)
		return -f, isFloat && x.op == "-"
	case list:
		out := make([]any, len(x.items))
		for i, it := range x.items {
			v, ok := literalValue(it)
			if !ok {
				return nil, false
			}
			out[i] = v
		}
		return out, true
	case dict:
		out := map[string]any{}
		for i := range x.keys {
			k, okKey := literalValue(x.keys[i])
			v, okValue := literalValue(x.values[i])
			if !okKey || !okValue {
				return nil, false
			}
			out[str(k)] = v
		}
		return out, true
	case name: // JSON's words
		switch x.name {
		case "null":
			return nil, true
		}
	}
	return nil, false
}
