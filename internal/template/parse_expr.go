package template

import (
	"slices"

	"github.com/torrust/runner/internal/diag"
)

// parser reads one expression.
type parser struct {
	tokens []token
	pos    int
	depth  int
}

const maxNesting = 200

// parseExpr reads text[from:to] as one expression.
func parseExpr(text string, from, to int) (expr, error) {
	tokens, err := lex(text, from, to)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	if p.peek().kind == tokenEnd {
		return nil, mistake(from, "there is no expression")
	}
	x, err := p.tuple()
	if err != nil {
		return nil, err
	}
	return x, p.end()
}

func (p *parser) end() error {
	if t := p.peek(); t.kind != tokenEnd {
		return mistake(t.at, "%s is not expected here", describe(t))
	}
	return nil
}

func describe(t token) string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenLiteral:
		if t.text == "" {
			return "a string"
		}
	}
	return "'" + t.text + "'"
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != tokenEnd {
		p.pos++
	}
	return t
}

// op takes an operator or a word if it is next.
func (p *parser) op(words ...string) (token, bool) {
	t := p.peek()
	if (t.kind == tokenOp || t.kind == tokenName) && slices.Contains(words, t.text) {
		return p.next(), true
	}
	return t, false
}

func (p *parser) want(op string) error {
	if t, ok := p.op(op); !ok {
		return mistake(t.at, "expected '%s', this is %s", op, describe(t))
	}
	return nil
}

// tuple reads a, b, c as a list.
func (p *parser) tuple() (expr, error) {
	x, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if _, ok := p.op(","); !ok {
		return x, nil
	}
	items := []expr{x}
	for p.peek().kind != tokenEnd {
		if t := p.peek(); t.kind == tokenOp && (t.text == ")" || t.text == "]") {
			break
		}
		if x, err = p.ternary(); err != nil {
			return nil, err
		}
		items = append(items, x)
		if _, ok := p.op(","); !ok {
			break
		}
	}
	return list{items}, nil
}

func (p *parser) ternary() (expr, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, mistake(p.peek().at, "the expression is nested too deep")
	}
	defer func() { p.depth-- }()
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	for {
		if _, ok := p.op("if"); !ok {
			return x, nil
		}
		cond, err := p.or()
		if err != nil {
			return nil, err
		}
		var otherwise expr
		if _, ok := p.op("else"); ok {
			if otherwise, err = p.ternary(); err != nil {
				return nil, err
			}
		}
		x = choice{x, cond, otherwise}
	}
}

// chain reads operands of one level that are joined by ops, from the left.
func (p *parser) chain(operand func() (expr, error), ops ...string) (expr, error) {
	x, err := operand()
	if err != nil {
		return nil, err
	}
	for {
		t, ok := p.op(ops...)
		if !ok {
			return x, nil
		}
		y, err := operand()
		if err != nil {
			return nil, err
		}
		x = binary{t.text, x, y, t.at}
	}
}

func (p *parser) or() (expr, error)  { return p.chain(p.and, "or") }
func (p *parser) and() (expr, error) { return p.chain(p.not, "and") }

func (p *parser) not() (expr, error) {
	if t, ok := p.op("not"); ok {
		if p.depth++; p.depth > maxNesting {
			return nil, mistake(t.at, "the expression is nested too deep")
		}
		defer func() { p.depth-- }()
		x, err := p.not()
		return unary{"not", x, t.at}, err
	}
	return p.compare()
}

func (p *parser) compare() (expr, error) {
	first, err := p.sum()
	if err != nil {
		return nil, err
	}
	c := comparison{first: first, at: p.peek().at}
	for {
		t, ok := p.op("==", "!=", "<", ">", "<=", ">=", "in", "not")
		if !ok {
			break
		}
		op := t.text
		if op == "not" {
			if err := p.want("in"); err != nil {
				return nil, err
			}
			op = "not in"
		}
		y, err := p.sum()
		if err != nil {
			return nil, err
		}
		c.ops, c.rest = append(c.ops, op), append(c.rest, y)
	}
	if len(c.ops) == 0 {
		return first, nil
	}
	return c, nil
}

func (p *parser) sum() (expr, error)     { return p.chain(p.concat, "+", "-") }
func (p *parser) concat() (expr, error)  { return p.chain(p.product, "~") }
func (p *parser) product() (expr, error) { return p.chain(p.power, "*", "/", "//", "%") }

// power is from the left, and a sign binds tighter, as in Jinja.
func (p *parser) power() (expr, error) {
	return p.chain(func() (expr, error) { return p.unary(true) }, "**")
}

func (p *parser) unary(filtered bool) (x expr, err error) {
	if t, ok := p.op("-", "+"); ok {
		if p.depth++; p.depth > maxNesting {
			return nil, mistake(t.at, "the expression is nested too deep")
		}
		defer func() { p.depth-- }()
		if x, err = p.unary(false); err == nil {
			x = unary{t.text, x, t.at}
		}
	} else {
		x, err = p.postfix()
	}
	if err != nil || !filtered {
		return x, err
	}
	return p.postfilters(x)
}

// postfix reads what may stand behind a value: .name, [key], (args).
func (p *parser) postfix() (expr, error) {
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	for {
		switch t := p.peek(); {
		case t.kind == tokenOp && t.text == ".":
			p.next()
			n := p.next()
			switch {
			case n.kind == tokenName || n.kind == tokenLiteral && n.text != "" && nameStart(n.text):
				x = attribute{x, n.text, n.at}
			case n.kind == tokenLiteral && n.text != "":
				x = item{x, literal{n.value}, n.at}
			default:
				return nil, mistake(n.at, "expected a name after '.', this is %s", describe(n))
			}
		case t.kind == tokenOp && t.text == "[":
			if x, err = p.subscript(x); err != nil {
				return nil, err
			}
		case t.kind == tokenOp && t.text == "(":
			p.next()
			args, kw, err := p.arguments()
			if err != nil {
				return nil, err
			}
			x = call{x, args, kw, t.at}
		default:
			return x, nil
		}
	}
}

func (p *parser) subscript(of expr) (expr, error) {
	t := p.next() // [
	var parts [3]expr
	n, sliced := 0, false
	for {
		if _, ok := p.op("]"); ok {
			break
		}
		if _, ok := p.op(":"); ok {
			sliced = true
			if n++; n > 2 {
				return nil, mistake(t.at, "a slice has at most three parts")
			}
			continue
		}
		x, err := p.tuple()
		if err != nil {
			return nil, err
		}
		if parts[n] != nil {
			return nil, mistake(p.peek().at, "expected ']'")
		}
		parts[n] = x
	}
	switch {
	case sliced:
		return slice{of, parts[0], parts[1], parts[2], t.at}, nil
	case parts[0] == nil:
		return nil, mistake(t.at, "a key is missing within [ ]")
	}
	if l, ok := parts[0].(literal); ok {
		if s, ok := l.value.(string); ok {
			return attribute{of, s, t.at}, nil
		}
	}
	return item{of, parts[0], t.at}, nil
}

func (p *parser) arguments() (args []expr, kw []keyword, err error) {
	for {
		if _, ok := p.op(")"); ok {
			return args, kw, nil
		}
		if t := p.peek(); t.kind == tokenName && p.tokens[p.pos+1].kind == tokenOp && p.tokens[p.pos+1].text == "=" {
			p.pos += 2
			v, err := p.ternary()
			if err != nil {
				return nil, nil, err
			}
			kw = append(kw, keyword{t.text, v})
		} else {
			if len(kw) > 0 {
				return nil, nil, mistake(t.at, "an argument without a name stands behind one with a name")
			}
			v, err := p.ternary()
			if err != nil {
				return nil, nil, err
			}
			args = append(args, v)
		}
		if _, ok := p.op(","); ok {
			continue
		}
		return args, kw, p.want(")")
	}
}

// postfilters reads | filter and is test.
func (p *parser) postfilters(x expr) (expr, error) {
	for {
		if t, ok := p.op("|"); ok {
			f, err := p.filter(x, t)
			if err != nil {
				return nil, err
			}
			x = f
			continue
		}
		t, ok := p.op("is")
		if !ok {
			return x, nil
		}
		f, err := p.test(x, t)
		if err != nil {
			return nil, err
		}
		x = f
	}
}

// word reads the name of a filter or test, maybe with a collection in front.
func (p *parser) word(what string) (token, error) {
	t := p.next()
	if t.kind != tokenName && (t.kind != tokenLiteral || t.text == "" || !nameStart(t.text)) {
		return t, mistake(t.at, "expected the name of a %s, this is %s", what, describe(t))
	}
	for {
		if _, ok := p.op("."); !ok {
			return t, nil
		}
		n := p.next()
		if t.text != "ansible" && t.text != "ansible.builtin" {
			t.text += "." + n.text
			continue
		}
		if t.text += "." + n.text; n.text != "builtin" {
			t.text = n.text
		}
	}
}

func (p *parser) filter(of expr, _ token) (expr, error) {
	t, err := p.word("filter")
	if err != nil {
		return nil, err
	}
	f := filter{of: of, name: t.text, at: t.at}
	if _, known := filters()[f.name]; !known {
		return nil, unknown(t, "filter", filterNames())
	}
	if _, ok := p.op("("); ok {
		f.args, f.kw, err = p.arguments()
	}
	return f, err
}

func (p *parser) test(of expr, _ token) (expr, error) {
	_, not := p.op("not")
	t, err := p.word("test")
	if err != nil {
		return nil, err
	}
	f := test{of: of, name: t.text, not: not, at: t.at}
	if _, known := tests()[f.name]; !known {
		return nil, unknown(t, "test", testNames())
	}
	if _, ok := p.op("("); ok {
		f.args, f.kw, err = p.arguments()
		return f, err
	}
	// Without brackets one argument may follow: x is divisibleby 3.
	if n := p.peek(); n.kind == tokenLiteral || n.kind == tokenName && !slices.Contains([]string{"and", "or", "not", "if", "else", "in", "is"}, n.text) ||
		n.kind == tokenOp && (n.text == "[" || n.text == "{") {
		arg, err := p.postfix()
		f.args = []expr{arg}
		return f, err
	}
	return f, nil
}

func unknown(t token, what string, known []string) error {
	e := mistake(t.at, "there is no %s '%s'", what, t.text)
	if near := diag.Suggest(t.text, known); near != "" {
		e.hint = "did you mean '" + near + "'?"
	}
	return e
}

func (p *parser) primary() (expr, error) {
	t := p.next()
	switch {
	case t.kind == tokenLiteral:
		v := t.value
		if s, ok := v.(string); ok { // strings side by side are one
			for p.peek().kind == tokenLiteral && p.peek().text == "" {
				more, _ := p.next().value.(string)
				s += more
			}
			v = s
		}
		return literal{v}, nil
	case t.kind == tokenName && !slices.Contains([]string{"and", "or", "not", "if", "else", "in", "is"}, t.text):
		return name{t.text, t.at}, nil
	case t.kind == tokenOp && t.text == "(":
		if _, ok := p.op(")"); ok {
			return list{}, nil
		}
		x, err := p.tuple()
		if err != nil {
			return nil, err
		}
		return x, p.want(")")
	case t.kind == tokenOp && t.text == "[":
		return p.list()
	case t.kind == tokenOp && t.text == "{":
		return p.dict(t)
	}
	return nil, mistake(t.at, "expected a value, this is %s", describe(t))
}

func (p *parser) list() (expr, error) {
	l := list{}
	for {
		if _, ok := p.op("]"); ok {
			return l, nil
		}
		x, err := p.ternary()
		if err != nil {
			return nil, err
		}
		l.items = append(l.items, x)
		if _, ok := p.op(","); !ok {
			return l, p.want("]")
		}
	}
}

func (p *parser) dict(t token) (expr, error) {
	d := dict{at: t.at}
	for {
		if _, ok := p.op("}"); ok {
			return d, nil
		}
		k, err := p.ternary()
		if err != nil {
			return nil, err
		}
		if err := p.want(":"); err != nil {
			return nil, err
		}
		v, err := p.ternary()
		if err != nil {
			return nil, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
		if _, ok := p.op(","); !ok {
			return d, p.want("}")
		}
	}
}
