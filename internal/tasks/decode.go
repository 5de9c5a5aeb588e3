package tasks

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
)

// Evaluator gives arguments their values for one host at the moment of use.
type Evaluator interface {
	// Expand returns n as JSON-like values with every template expanded.
	Expand(n *strictyaml.Node) (any, error)
	// Eval evaluates a bare expression.
	Eval(expr string) (any, error)
}

// Decode makes a task from its arguments. Its errors are positioned.
func (s Spec) Decode(args *strictyaml.Node, at diag.Pos, ev Evaluator) (Task, error) {
	d := decoder{ev: ev, templated: func(*strictyaml.Node) bool { return false }}
	task := s.New()
	d.fill(reflect.ValueOf(task).Elem(), s.params(), args, at, s.Name)
	if err := d.errs.Err(); err != nil {
		return nil, err
	}
	if v, ok := task.(Validator); ok {
		if err := v.Validate(); err != nil {
			d.errs.AddErr(at, err)
		}
	}
	return task, d.errs.Err()
}

// decoder fills a struct from nodes. Without an evaluator it only checks.
type decoder struct {
	ev        Evaluator
	templated func(*strictyaml.Node) bool // values that cannot be judged yet
	errs      diag.List
}

func (d *decoder) fill(dst reflect.Value, params []Param, args *strictyaml.Node, at diag.Pos, what string) {
	rest := map[string]any{}
	var restField reflect.Value
	fields := make([]strictyaml.Field, 0, len(params))
	given := map[int]bool{}
	for _, p := range params {
		field := dst.Field(p.index)
		if p.rest {
			restField = field
			continue
		}
		if p.Default != "" {
			d.assign(field, p, p.Default, at)
		}
		fields = append(fields, strictyaml.Field{Name: p.Name, Aliases: p.Aliases, Read: func(n *strictyaml.Node, _ *diag.List) {
			given[p.index] = d.read(field, p, n)
		}})
	}
	if args == nil || args.Kind == strictyaml.Null {
		args = &strictyaml.Node{Kind: strictyaml.Map, Pos: at}
	}
	if restField.IsValid() && args.Kind == strictyaml.Map {
		args = d.takeRest(args, params, rest)
		restField.Set(reflect.ValueOf(rest))
	}
	if !strictyaml.Fields(args, what, &d.errs, fields...) {
		return
	}
	for _, p := range params {
		if p.Required && !given[p.index] {
			e := d.errs.Addf(at, "%s needs %q", what, p.Name)
			if p.Doc != "" {
				e.WithHint("%s", p.Doc)
			}
		}
	}
}

// takeRest moves the keys that are no parameters to rest.
func (d *decoder) takeRest(args *strictyaml.Node, params []Param, rest map[string]any) *strictyaml.Node {
	known := *args
	known.Pairs = nil
	for _, pair := range args.Pairs {
		if slices.ContainsFunc(params, func(p Param) bool {
			return !p.rest && (p.Name == pair.Key.Text || slices.Contains(p.Aliases, pair.Key.Text))
		}) {
			known.Pairs = append(known.Pairs, pair)
			continue
		}
		v, ok := d.value(pair.Value)
		if !ok {
			continue
		}
		if _, omitted := v.(vars.Omit); !omitted {
			rest[pair.Key.Text] = v
		}
	}
	return &known
}

// value returns n's value, expanded if there is an evaluator.
func (d *decoder) value(n *strictyaml.Node) (any, bool) {
	var v any
	var err error
	if d.ev == nil {
		v, err = n.Native(nil)
	} else {
		v, err = d.ev.Expand(n)
	}
	if err != nil {
		d.errs.AddErr(n.Pos, err)
		return nil, false
	}
	return v, true
}

// read takes one argument. It returns whether the argument counts as given.
func (d *decoder) read(dst reflect.Value, p Param, n *strictyaml.Node) bool {
	if d.templated(n) && p.Type != "expression" {
		return true
	}
	switch {
	case p.Type == "expression" || p.Type == "list of expressions":
		d.readExprs(dst, p, n)
		return true
	case p.Sub != nil:
		return d.readStructs(dst, p, n)
	}
	v, ok := d.value(n)
	if !ok {
		return true
	}
	if _, omitted := v.(vars.Omit); omitted {
		return false
	}
	if v == nil && p.Type != "any" {
		return false
	}
	if d.ev == nil && n.Kind == strictyaml.Seq && slices.ContainsFunc(n.Items, d.templated) {
		return true
	}
	if d.ev == nil && n.Kind == strictyaml.Map {
		return true // may hold templates at any depth
	}
	d.assign(dst, p, v, n.Pos)
	return true
}

func (d *decoder) readExprs(dst reflect.Value, p Param, n *strictyaml.Node) {
	var eval func(string) (any, error)
	if d.ev != nil {
		eval = d.ev.Eval
	}
	var exprs []Expr
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	for _, item := range items {
		if item.Kind == strictyaml.Map || item.Kind == strictyaml.Seq || item.Kind == strictyaml.Null {
			d.errs.Addf(item.Pos, "%q must be an expression, this is %s", p.Name, item.Kind)
			return
		}
		exprs = append(exprs, Expr{Text: item.Text, eval: eval})
	}
	if dst.Type() == reflect.TypeFor[Expr]() {
		if len(exprs) != 1 {
			d.errs.Addf(n.Pos, "%q must be one expression", p.Name)
			return
		}
		dst.Set(reflect.ValueOf(exprs[0]))
		return
	}
	dst.Set(reflect.ValueOf(exprs))
}

func (d *decoder) readStructs(dst reflect.Value, p Param, n *strictyaml.Node) bool {
	if n.Kind == strictyaml.Null {
		return false
	}
	if dst.Kind() == reflect.Struct {
		d.fill(dst, p.Sub, n, n.Pos, p.Name)
		return true
	}
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	list := reflect.MakeSlice(dst.Type(), len(items), len(items))
	for i, item := range items {
		d.fill(list.Index(i), p.Sub, item, item.Pos, p.Name)
	}
	dst.Set(list)
	return true
}

// assign converts v to the parameter's type, as Ansible does: a number where
// text is wanted becomes text, "yes" where a boolean is wanted becomes true,
// a comma-separated text where a list is wanted becomes a list.
func (d *decoder) assign(dst reflect.Value, p Param, v any, at diag.Pos) {
	if err := convert(dst, v); err != nil {
		d.errs.Addf(at, "%q: %v", p.Name, err)
		return
	}
	if len(p.Choices) > 0 {
		if s := fmt.Sprint(dst.Interface()); s != "" && !slices.Contains(p.Choices, s) {
			e := d.errs.Addf(at, "%q cannot be %q", p.Name, s)
			if near := diag.Suggest(s, p.Choices); near != "" {
				e.WithHint("did you mean %q?", near)
			} else {
				e.WithHint("one of: %s", strings.Join(p.Choices, ", "))
			}
		}
	}
}
