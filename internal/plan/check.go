package plan

import (
	"errors"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/template"
)

// spec resolves a task kind.
func (b *builder) spec(kind string, at diag.Pos) (tasks.Spec, bool) {
	spec, ok := b.o.Registry.Lookup(kind)
	if !ok {
		e := b.errs.Addf(at, "there is no task kind %q", kind)
		if near := b.o.Registry.Suggest(kind); near != "" {
			e.WithHint("did you mean %q?", near)
		}
	}
	return spec, ok
}

// module checks the arguments of a task kind.
func (b *builder) module(spec tasks.Spec, args *strictyaml.Node, at diag.Pos) Module {
	err := spec.Check(args, at)
	if err == nil && isLiteral(args) {
		_, err = spec.Decode(args, at, literal{b})
	}
	b.errs.AddErr(at, err)
	b.arguments(spec, args)
	return Module{Spec: spec, Args: args, At: at}
}

// isLiteral reports whether n, which may be nil, is known before the run.
func isLiteral(n *strictyaml.Node) bool {
	switch {
	case n == nil:
		return true
	case n.Tag != "" || n.Kind == strictyaml.String && hasTemplate(n):
		return false
	}
	return !slices.ContainsFunc(n.Items, func(item *strictyaml.Node) bool { return !isLiteral(item) }) &&
		!slices.ContainsFunc(n.Pairs, func(p strictyaml.Pair) bool { return !isLiteral(p.Value) })
}

// literal evaluates what holds no template.
type literal struct{ b *builder }

// Expand implements [tasks.Evaluator].
func (l literal) Expand(n *strictyaml.Node) (any, error) { return n.Native(l.b.convert) }

// Eval implements [tasks.Evaluator].
func (literal) Eval(string) (any, error) { return nil, errors.New("not known before the run") }

// arguments checks the templates and the expressions in arguments.
func (b *builder) arguments(spec tasks.Spec, args *strictyaml.Node) {
	if args == nil {
		return
	}
	bare := map[string]bool{}
	for _, p := range spec.Params() {
		if p.Type == "expression" || p.Type == "list of expressions" {
			for _, name := range append(p.Aliases, p.Name) {
				bare[name] = true
			}
		}
	}
	for _, pair := range args.Pairs {
		switch {
		case !bare[pair.Key.Text]:
			b.templates(pair.Value)
		case pair.Value.Kind == strictyaml.Seq:
			for _, item := range pair.Value.Items {
				b.exprNode(item)
			}
		default:
			b.exprNode(pair.Value)
		}
	}
}

func hasTemplate(n *strictyaml.Node) bool {
	switch n.Kind {
	case strictyaml.String:
		return n.Tag == "" && (strings.Contains(n.Text, "{{") || strings.Contains(n.Text, "{%"))
	case strictyaml.Seq:
		for _, item := range n.Items {
			if hasTemplate(item) {
				return true
			}
		}
	case strictyaml.Map:
		for _, p := range n.Pairs {
			if hasTemplate(p.Value) {
				return true
			}
		}
	}
	return false
}

// templates checks the syntax of every template within n, which may be nil.
// A node that aliases share is checked once.
func (b *builder) templates(n *strictyaml.Node) {
	if n == nil || b.checked[n] || n.Tag != "" {
		return
	}
	if b.checked == nil {
		b.checked = map[*strictyaml.Node]bool{}
	}
	b.checked[n] = true
	switch n.Kind {
	case strictyaml.String:
		if hasTemplate(n) {
			b.syntax(n.Pos, n.Text, template.Check(n.Text))
		}
	case strictyaml.Seq:
		for _, item := range n.Items {
			b.templates(item)
		}
	case strictyaml.Map:
		for _, p := range n.Pairs {
			b.templates(p.Value)
		}
	}
}

func (b *builder) textTemplates(text string, at diag.Pos) {
	if strings.Contains(text, "{{") || strings.Contains(text, "{%") {
		b.syntax(at, text, template.Check(text))
	}
}

func (b *builder) keywordTemplates(k Keywords) {
	for _, n := range k.Nodes() {
		b.templates(n)
	}
}

func (b *builder) exprs(exprs []Expr) {
	for _, e := range exprs {
		b.syntax(e.Pos, e.Text, template.CheckExpr(e.Text))
	}
}

func (b *builder) exprNode(n *strictyaml.Node) {
	if n.Kind == strictyaml.String && n.Tag == "" {
		b.syntax(n.Pos, n.Text, template.CheckExpr(n.Text))
	}
}

// syntax adds the mistakes in the text of a scalar that begins at pos. The
// places that err knows count from the beginning of that text.
func (b *builder) syntax(pos diag.Pos, text string, err error) {
	if err == nil {
		return
	}
	found := diag.All(err)
	if len(found) == 0 {
		found = diag.List{diag.Errorf(diag.Pos{}, "%v", err)}
	}
	for _, e := range found {
		at := *e
		at.Pos = b.sources.Within(pos, text, offset(text, e.Pos))
		b.errs.Add(&at)
	}
}

// offset returns where in text a line and a column are.
func offset(text string, at diag.Pos) int {
	start := 0
	for range at.Line - 1 {
		next := strings.IndexByte(text[start:], '\n')
		if next < 0 {
			break
		}
		start += next + 1
	}
	return min(start+max(at.Col-1, 0), len(text))
}
