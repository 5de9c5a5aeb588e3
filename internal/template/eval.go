package template

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/vars"
)

// The bounds of one evaluation: a template is data, and may be hostile.
const (
	maxOutput   = 16 << 20  // bytes of a text
	maxSteps    = 1_000_000 // nodes evaluated
	maxDepth    = 100       // variables that lead to variables
	maxElements = 1_000_000 // of a list that an operation makes
)

var errTooLarge = errors.New("the result would be too large")

// undefined is the value of what is not defined: using it is an error, asking
// for it is not.
type undefined struct{ err *UndefinedError }

// run is one evaluation. It belongs to one goroutine.
type run struct {
	ctx   context.Context
	e     *Engine
	scope Scope
	local map[string]any // of loops and set
	steps *int
	chain []string // variables that are being expanded
}

func (r *run) step() error {
	if *r.steps++; *r.steps > maxSteps {
		return errors.New("the template takes too long")
	}
	if *r.steps%1024 == 0 {
		return context.Cause(r.ctx)
	}
	return nil
}

// eval evaluates x; it may return an undefined.
func (r *run) eval(x expr) (any, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	switch x := x.(type) {
	case literal:
		return x.value, nil
	case name:
		return r.variable(x.name)
	case attribute:
		return r.attribute(x)
	case item:
		return r.item(x)
	case slice:
		return r.slice(x)
	case call:
		return r.call(x)
	case filter:
		return r.filter(x)
	case test:
		return r.test(x)
	case unary:
		return r.unary(x)
	case binary:
		return r.binary(x)
	case comparison:
		return r.comparison(x)
	case choice:
		return r.choice(x)
	case list:
		out := make([]any, len(x.items))
		for i, it := range x.items {
			v, err := r.value(it)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case dict:
		return r.dict(x)
	}
	return nil, fmt.Errorf("cannot evaluate %T", x)
}

// value evaluates x to something that is defined.
func (r *run) value(x expr) (any, error) {
	v, err := r.eval(x)
	if err != nil {
		return nil, err
	}
	return defined(v)
}

func defined(v any) (any, error) {
	if u, ok := v.(undefined); ok {
		return nil, u.err
	}
	return v, nil
}

// variable returns the value of a name, expanded.
func (r *run) variable(name string) (any, error) {
	if v, ok := r.local[name]; ok {
		return v, nil
	}
	v, literal, ok := r.scope.Lookup(name)
	if !ok {
		return undefined{&UndefinedError{Name: name, Hint: r.near(name)}}, nil
	}
	return r.resolve(name, v, literal, r.scope)
}

// resolve expands the value of a variable with the variables of scope.
func (r *run) resolve(name string, v any, literal bool, scope Scope) (any, error) {
	if _, ok := v.(Scope); ok {
		return v, nil
	}
	if literal {
		return normal(v), nil
	}
	if slices.Contains(r.chain, name) {
		return nil, fmt.Errorf("the variables %s lead in a circle", strings.Join(append(r.chain, name), " -> "))
	}
	if len(r.chain) >= maxDepth {
		return nil, errors.New("too many variables lead to other variables")
	}
	inner := &run{ctx: r.ctx, e: r.e, scope: scope, steps: r.steps, chain: append(slices.Clone(r.chain), name)}
	out, err := inner.expand(v)
	if err != nil {
		if _, ok := errors.AsType[*UndefinedError](err); ok {
			return nil, fmt.Errorf("within the variable '%s': %w", name, err)
		}
		return nil, err
	}
	return out, nil
}

func (r *run) near(name string) string {
	if near := diag.Suggest(name, r.scope.Names()); near != "" {
		return "did you mean '" + near + "'?"
	}
	return ""
}

// normal makes the numbers of a value those that we reckon with.
func normal(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case uint32:
		return int64(v)
	case float32:
		return float64(v)
	case vars.Unsafe:
		return string(v)
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []any:
		for i, item := range v {
			if n := normal(item); !same(n, item) {
				v = slices.Clone(v)
				v[i] = n
				for j := i + 1; j < len(v); j++ {
					v[j] = normal(v[j])
				}
				return v
			}
		}
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = normal(item)
		}
		return out
	}
	return v
}

// same tells whether normal has left a scalar as it was.
func same(a, b any) bool {
	switch a.(type) {
	case map[string]any, []any:
		return false
	}
	switch b.(type) {
	case map[string]any, []any, []string, int, int32, uint32, float32, vars.Unsafe:
		return false
	}
	return true
}

func (r *run) attribute(x attribute) (any, error) {
	of, err := r.eval(x.of)
	if err != nil {
		return nil, err
	}
	return r.member(of, x.name)
}

// member returns a member of v by its name. One that is missing is undefined,
// and so is every member of that: default() may stand at the end.
func (r *run) member(v any, name string) (any, error) {
	switch v := v.(type) {
	case undefined:
		return undefined{&UndefinedError{Name: v.err.Name + "." + name, Hint: v.err.Hint}}, nil
	case map[string]any:
		if m, ok := v[name]; ok {
			return m, nil
		}
		e := &UndefinedError{Name: name}
		if near := diag.Suggest(name, keys(v)); near != "" {
			e.Hint = "did you mean '" + near + "'?"
		}
		return undefined{e}, nil
	case *namespace:
		if m, ok := v.values[name]; ok {
			return m, nil
		}
		return undefined{&UndefinedError{Name: name, Hint: "the namespace has: " + strings.Join(keys(v.values), ", ")}}, nil
	case Scope:
		m, literal, ok := v.Lookup(name)
		if !ok {
			return undefined{&UndefinedError{Name: name}}, nil
		}
		return r.resolve(name, m, literal, v)
	}
	return undefined{&UndefinedError{Name: name, Hint: typeName(v) + " has no such member"}}, nil
}

func keys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func (r *run) item(x item) (any, error) {
	of, err := r.eval(x.of)
	if err != nil {
		return nil, err
	}
	key, err := r.value(x.key)
	if err != nil {
		return nil, err
	}
	if s, ok := key.(string); ok {
		return r.member(of, s)
	}
	n, isInt := integer(key)
	if _, ok := of.(undefined); ok {
		return of, nil
	}
	if !isInt {
		return undefined{&UndefinedError{Name: str(key)}}, nil
	}
	switch of := of.(type) {
	case []any:
		if n < 0 {
			n += int64(len(of))
		}
		if n >= 0 && n < int64(len(of)) {
			return of[n], nil
		}
		return undefined{&UndefinedError{Name: fmt.Sprintf("[%s]", str(key)), Hint: fmt.Sprintf("the list has %d items", len(of))}}, nil
	case string:
		runes := []rune(of)
		if n < 0 {
			n += int64(len(runes))
		}
		if n >= 0 && n < int64(len(runes)) {
			return string(runes[n]), nil
		}
	case map[string]any:
		return r.member(of, str(key))
	}
	return undefined{&UndefinedError{Name: "[" + str(key) + "]"}}, nil
}

func (r *run) slice(x slice) (any, error) {
	of, err := r.value(x.of)
	if err != nil {
		return nil, err
	}
	bounds := [3]*int64{}
	for i, part := range []expr{x.from, x.to, x.step} {
		if part == nil {
			continue
		}
		v, err := r.value(part)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		n, ok := integer(v)
		if !ok {
			return nil, fmt.Errorf("the parts of a slice must be integers, this is %s", typeName(v))
		}
		bounds[i] = &n
	}
	text, isText := of.(string)
	list, isList := of.([]any)
	if isText {
		for _, c := range text {
			list = append(list, string(c))
		}
	} else if !isList {
		return nil, fmt.Errorf("%s cannot be sliced", typeName(of))
	}
	out, err := sliced(list, bounds)
	if err != nil || !isText {
		return out, err
	}
	var b strings.Builder
	for _, c := range out {
		b.WriteString(str(c))
	}
	return b.String(), nil
}

// sliced is Python's list[from:to:step].
func sliced(l []any, bounds [3]*int64) ([]any, error) {
	step := int64(1)
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return nil, errors.New("the step of a slice cannot be 0")
	}
	n := int64(len(l))
	low, high := int64(0), n
	if step < 0 {
		low, high = -1, n-1
	}
	bound := func(p *int64, fallback int64) int64 {
		if p == nil {
			return fallback
		}
		v := *p
		if v < 0 {
			v += n
		}
		return min(max(v, low), high)
	}
	from, to := bound(bounds[0], low), bound(bounds[1], high)
	if step < 0 {
		from, to = bound(bounds[0], high), bound(bounds[1], low)
	}
	out := []any{}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		out = append(out, l[i])
		if step > n || -step > n {
			break
		}
	}
	return out, nil
}

func (r *run) dict(x dict) (any, error) {
	out := make(map[string]any, len(x.keys))
	for i := range x.keys {
		k, err := r.value(x.keys[i])
		if err != nil {
			return nil, err
		}
		v, err := r.value(x.values[i])
		if err != nil {
			return nil, err
		}
		out[str(k)] = v
	}
	return out, nil
}

func (r *run) choice(x choice) (any, error) {
	cond, err := r.value(x.cond)
	if err != nil {
		return nil, err
	}
	if truthy(cond) {
		return r.eval(x.then)
	}
	if x.otherwise == nil {
		return undefined{&UndefinedError{Name: "the value of an 'if' without an 'else'"}}, nil
	}
	return r.eval(x.otherwise)
}

// args evaluates the arguments of a call.
func (r *run) args(args []expr, kw []keyword) (arguments, error) {
	out := arguments{kw: map[string]any{}}
	for _, a := range args {
		v, err := r.value(a)
		if err != nil {
			return out, err
		}
		out.list = append(out.list, v)
	}
	for _, k := range kw {
		v, err := r.value(k.value)
		if err != nil {
			return out, err
		}
		out.kw[k.name] = v
	}
	return out, nil
}

// lazily evaluates what a filter or a test is asked about. A variable is
// undefined, too, if its value needs one that is; any other expression that
// needs one is an error, which default() does not catch.
func (r *run) lazily(x expr) (any, error) {
	v, err := r.eval(x)
	if u, missing := errors.AsType[*UndefinedError](err); missing {
		switch x.(type) {
		case name, attribute, item:
			return undefined{u}, nil
		}
	}
	return v, err
}

func (r *run) filter(x filter) (any, error) {
	of, err := r.lazily(x.of)
	if err != nil {
		return nil, err
	}
	a, err := r.args(x.args, x.kw)
	if err != nil {
		return nil, err
	}
	if !acceptsUndefined(x.name) {
		if of, err = defined(of); err != nil {
			return nil, err
		}
	}
	out, err := r.e.filters[x.name](r, of, a)
	if err != nil {
		if _, missing := errors.AsType[*UndefinedError](err); missing {
			return nil, err
		}
		return nil, fmt.Errorf("the filter '%s': %w", x.name, err)
	}
	return out, nil
}

func acceptsUndefined(filter string) bool {
	return filter == "default" || filter == "d" || filter == "mandatory" || filter == "type_debug"
}

func (r *run) test(x test) (any, error) {
	of, err := r.lazily(x.of)
	if err != nil {
		return nil, err
	}
	a, err := r.args(x.args, x.kw)
	if err != nil {
		return nil, err
	}
	if x.name != "defined" && x.name != "undefined" {
		if of, err = defined(of); err != nil {
			return nil, err
		}
	}
	yes, err := r.e.tests[x.name](r, of, a)
	if err != nil {
		return nil, fmt.Errorf("the test '%s': %w", x.name, err)
	}
	return yes != x.not, nil
}
