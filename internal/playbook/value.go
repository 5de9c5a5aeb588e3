package playbook

import (
	"slices"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// want is what the value of a key must be, unless it is a template.
type want int

const (
	aText want = iota
	aBool
	anInt
	aNumber
	anything
)

// reader reads the value of a key.
type reader = func(n *strictyaml.Node, errs *diag.List)

// templated reports whether n is a text with a template in it.
func templated(n *strictyaml.Node) bool {
	return n.Kind == strictyaml.String && (strings.Contains(n.Text, "{{") || strings.Contains(n.Text, "{%"))
}

// fits reports whether n is what a key wants, and complains if it is not.
// Text that reads as a boolean or a number will do, as in Ansible.
func (l *loader) fits(key string, w want, n *strictyaml.Node) bool {
	if templated(n) || w == anything {
		return true
	}
	text := strings.TrimSpace(n.Text)
	switch w {
	case aText:
		if n.Kind == strictyaml.Map && looksUnquoted(n) {
			l.errs.Addf(n.Pos, "%q must be a text, this is a mapping", key).WithHint(`a value that starts with {{ must be quoted: %s: "{{ … }}"`, key)
			return false
		}
		if n.Kind == strictyaml.Seq || n.Kind == strictyaml.Map || n.Kind == strictyaml.Null {
			l.errs.Addf(n.Pos, "%q must be a text, this is %s", key, n.Kind)
			return false
		}
	case aBool:
		if n.Kind == strictyaml.Bool || n.Kind == strictyaml.String && isBoolWord(text) || n.Kind == strictyaml.Int && (text == "0" || text == "1") {
			return true
		}
		l.errs.Addf(n.Pos, "%q must be true or false, this is %s", key, describe(n))
		return false
	case anInt:
		if _, err := strconv.Atoi(text); err == nil && n.Kind != strictyaml.Null {
			return true
		}
		l.errs.Addf(n.Pos, "%q must be an integer, this is %s", key, describe(n))
		return false
	case aNumber:
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return true
		}
		l.errs.Addf(n.Pos, "%q must be a number, this is %s", key, describe(n))
		return false
	}
	return true
}

func isBoolWord(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "no", "true", "false", "on", "off", "y", "n", "t", "f", "1", "0":
		return true
	}
	return false
}

func describe(n *strictyaml.Node) string {
	if n.Kind == strictyaml.String {
		return strconv.Quote(n.Text)
	}
	return n.Kind.String()
}

// looksUnquoted reports whether a mapping is what YAML makes of {{ x }}.
func looksUnquoted(n *strictyaml.Node) bool {
	return n.Kind == strictyaml.Map && len(n.Pairs) == 0
}

// node reads a value that may be a template.
func (l *loader) node(key string, w want, dst **strictyaml.Node) reader {
	return func(n *strictyaml.Node, _ *diag.List) {
		if l.fits(key, w, n) {
			*dst = n
		}
	}
}

// text reads a text, as it stands.
func (l *loader) text(key string, dst *string) reader {
	return func(n *strictyaml.Node, _ *diag.List) {
		if n.Kind == strictyaml.Null {
			return
		}
		if l.fits(key, aText, n) {
			*dst = n.Text
		}
	}
}

// flag reads a boolean that cannot hold a template.
func (l *loader) flag(key string, dst *bool) reader {
	return func(n *strictyaml.Node, _ *diag.List) {
		if templated(n) {
			l.errs.Addf(n.Pos, "%q cannot hold a template", key).WithHint("write true or false")
		} else if l.fits(key, aBool, n) {
			switch strings.ToLower(strings.TrimSpace(n.Text)) {
			case "yes", "true", "on", "y", "t", "1":
				*dst = true
			default:
				*dst = false
			}
		}
	}
}

// mapping reads a mapping whose keys are names of variables.
func (l *loader) mapping(key string, dst **strictyaml.Node) reader {
	return func(n *strictyaml.Node, _ *diag.List) {
		switch n.Kind {
		case strictyaml.Null:
		case strictyaml.Map:
			for _, p := range n.Pairs {
				l.variable(p.Key)
			}
			*dst = n
		case strictyaml.Seq:
			l.errs.Addf(n.Pos, "%q must be a mapping, this is a list", key).WithHint(`remove the "- " before the names`)
		default:
			l.errs.Addf(n.Pos, "%q must be a mapping, this is %s", key, n.Kind).WithHint("%s: { name: value }", key)
		}
	}
}

// variable refuses what cannot be the name of a variable.
func (l *loader) variable(n *strictyaml.Node) bool {
	if slices.Contains(reserved(), strings.ToLower(n.Text)) {
		l.errs.Addf(n.Pos, "%q cannot be the name of a variable: it means something in expressions", n.Text)
		return false
	}
	if IsName(n.Text) {
		return true
	}
	e := l.errs.Addf(n.Pos, "%q cannot be the name of a variable", n.Text)
	if fixed := strings.ReplaceAll(n.Text, "-", "_"); IsName(fixed) {
		e.WithHint("write %q", fixed)
	} else {
		e.WithHint("a name is letters, digits and _, and does not start with a digit")
	}
	return false
}

// reserved are the words of expressions.
func reserved() []string {
	return []string{"and", "or", "not", "in", "is", "if", "else", "true", "false", "none"}
}

// IsName reports whether s can be the name of a variable.
func IsName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// exprs reads one bare expression or a list of them.
func (l *loader) exprs(key string, n *strictyaml.Node) []Expr {
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	var out []Expr
	for _, item := range items {
		if e, ok := l.expr(key, item); ok {
			out = append(out, e)
		}
	}
	return out
}

func (l *loader) expr(key string, n *strictyaml.Node) (Expr, bool) {
	switch n.Kind {
	case strictyaml.Null:
		l.errs.Addf(n.Pos, "%q has no condition", key).WithHint("write one, or remove the key")
	case strictyaml.Map, strictyaml.Seq:
		l.errs.Addf(n.Pos, "%q must be an expression, this is %s", key, n.Kind).WithHint(`an expression is written without {{ }}: %s: x == "y"`, key)
	case strictyaml.Bool:
		text := "false"
		if n.Value == true {
			text = "true"
		}
		return Expr{Text: text, Pos: n.Pos}, true
	default:
		if strings.TrimSpace(n.Text) == "" {
			l.errs.Addf(n.Pos, "%q has no condition", key).WithHint("write one, or remove the key")
			return Expr{}, false
		}
		if strings.Contains(n.Text, "{{") || strings.Contains(n.Text, "{%") {
			l.errs.Addf(n.Pos, "%q is an expression already: {{ }} has no place in it", key).WithHint("remove the {{ and }}; names stand bare")
			return Expr{}, false
		}
		return Expr{Text: n.Text, Pos: n.Pos}, true
	}
	return Expr{}, false
}
