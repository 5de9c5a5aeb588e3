package template

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

func (r *run) unary(x unary) (any, error) {
	v, err := r.value(x.x)
	if err != nil {
		return nil, err
	}
	if x.op == "not" {
		return !truthy(v), nil
	}
	if n, ok := integer(v); ok {
		if x.op == "-" {
			if n == math.MinInt64 {
				return nil, errOverflow
			}
			n = -n
		}
		return n, nil
	}
	f, ok := v.(float64)
	if !ok {
		return nil, fmt.Errorf("'%s' needs a number, this is %s", x.op, typeName(v))
	}
	if x.op == "-" {
		f = -f
	}
	return f, nil
}

var errOverflow = errors.New("the number does not fit into 64 bits")

func (r *run) binary(x binary) (any, error) {
	a, err := r.value(x.x)
	if err != nil {
		return nil, err
	}
	switch x.op { // as in Python: one of the operands
	case "and":
		if !truthy(a) {
			return a, nil
		}
		return r.value(x.y)
	case "or":
		if truthy(a) {
			return a, nil
		}
		return r.value(x.y)
	}
	b, err := r.value(x.y)
	if err != nil {
		return nil, err
	}
	if x.op == "~" {
		return joined(str(a), str(b))
	}
	return operate(x.op, a, b)
}

func joined(a, b string) (any, error) {
	if len(a)+len(b) > maxOutput {
		return nil, errTooLarge
	}
	return a + b, nil
}

func operate(op string, a, b any) (any, error) {
	m, mInt := integer(a)
	n, nInt := integer(b)
	if mInt && nInt {
		return integers(op, m, n)
	}
	x, xNumber := number(a)
	y, yNumber := number(b)
	if xNumber && yNumber {
		return floats(op, x, y)
	}
	switch op {
	case "+":
		if s, ok := a.(string); ok {
			if t, ok := b.(string); ok {
				return joined(s, t)
			}
		}
		if l, ok := a.([]any); ok {
			if k, ok := b.([]any); ok {
				return append(append(make([]any, 0, len(l)+len(k)), l...), k...), nil
			}
		}
	case "*":
		if mInt {
			a, n, nInt = b, m, true
		}
		if nInt {
			return repeated(a, n)
		}
	case "%":
		if s, ok := a.(string); ok {
			return format(s, b)
		}
	}
	return nil, fmt.Errorf("'%s' has no meaning for %s and %s", op, typeName(a), typeName(b))
}

// repeated is 'ab' * 3 and [1] * 3.
func repeated(v any, n int64) (any, error) {
	n = max(n, 0)
	switch v := v.(type) {
	case string:
		if len(v) > 0 && n > int64(maxOutput/len(v)) {
			return nil, errTooLarge
		}
		return strings.Repeat(v, int(n)), nil
	case []any:
		if len(v) > 0 && n > int64(maxElements/len(v)) {
			return nil, errTooLarge
		}
		out := make([]any, 0, len(v)*int(n))
		for range n {
			out = append(out, v...)
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s cannot be repeated", typeName(v))
}

var errZero = errors.New("division by zero")

func integers(op string, m, n int64) (any, error) {
	x, y := big.NewInt(m), big.NewInt(n)
	out := new(big.Int)
	switch op {
	case "+":
		out.Add(x, y)
	case "-":
		out.Sub(x, y)
	case "*":
		out.Mul(x, y)
	case "/":
		if n == 0 {
			return nil, errZero
		}
		return float64(m) / float64(n), nil
	case "//", "%":
		if n == 0 {
			return nil, errZero
		}
		// Python rounds down, and the rest has the sign of the divisor.
		rest := new(big.Int)
		out.QuoRem(x, y, rest)
		if rest.Sign() != 0 && rest.Sign() != y.Sign() {
			out.Sub(out, big.NewInt(1))
			rest.Add(rest, y)
		}
		if op == "%" {
			out = rest
		}
	case "**":
		if n < 0 {
			return floats(op, float64(m), float64(n))
		}
		if n > 64 && m != 0 && m != 1 && m != -1 {
			return nil, errOverflow
		}
		if n > 64 {
			n = 64 + n%2
		}
		out.Exp(x, big.NewInt(n), nil)
	}
	if !out.IsInt64() {
		return nil, errOverflow
	}
	return out.Int64(), nil
}

func floats(op string, x, y float64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		out := math.Pow(x, y)
		if math.IsInf(out, 0) && !math.IsInf(x, 0) {
			return nil, errors.New("the number is too large")
		}
		return out, nil
	}
	if y == 0 {
		return nil, errZero
	}
	switch op {
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	}
	rest := math.Mod(x, y)
	if rest != 0 && (rest < 0) != (y < 0) {
		rest += y
	}
	return rest, nil
}

func (r *run) comparison(x comparison) (any, error) {
	a, err := r.value(x.first)
	if err != nil {
		return nil, err
	}
	for i, op := range x.ops {
		b, err := r.value(x.rest[i])
		if err != nil {
			return nil, err
		}
		yes, err := compare(op, a, b)
		if err != nil || !yes {
			return false, err
		}
		a = b
	}
	return true, nil
}

func compare(op string, a, b any) (bool, error) {
	switch op {
	case "==":
		return equal(a, b), nil
	case "!=":
		return !equal(a, b), nil
	case "in":
		return contains(b, a)
	case "not in":
		yes, err := contains(b, a)
		return !yes, err
	}
	c, err := order(a, b)
	if err != nil {
		return false, err
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

// contains is Python's in.
func contains(in, v any) (bool, error) {
	switch in := in.(type) {
	case string:
		s, ok := v.(string)
		if !ok {
			return false, fmt.Errorf("'in' a string needs a string, this is %s", typeName(v))
		}
		return strings.Contains(in, s), nil
	case []any:
		for _, item := range in {
			if equal(item, v) {
				return true, nil
			}
		}
		return false, nil
	case map[string]any:
		_, ok := in[str(v)]
		return ok, nil
	case Scope:
		_, _, ok := in.Lookup(str(v))
		return ok, nil
	}
	return false, fmt.Errorf("'in' has no meaning for %s", typeName(in))
}
