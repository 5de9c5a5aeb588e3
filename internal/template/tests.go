package template

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/vars"
)

// testFunc is a test: what it is asked about, then its arguments.
type testFunc func(r *run, v any, a arguments) (bool, error)

func testNames() []string { return slices.Collect(maps.Keys(tests())) }

// ofValue makes a test of a function of the value alone.
func ofValue(f func(v any) bool) testFunc {
	return func(_ *run, v any, _ arguments) (bool, error) { return f(v), nil }
}

// with makes a test of an operator.
func with(op string) testFunc {
	return func(_ *run, v any, a arguments) (bool, error) {
		if len(a.list) != 1 {
			return false, errors.New("it needs something to compare with")
		}
		return compare(op, v, a.list[0])
	}
}

// ofResult makes a test of a key of a registered result.
func ofResult(f func(m map[string]any) bool) testFunc {
	return func(_ *run, v any, _ arguments) (bool, error) {
		m, ok := v.(map[string]any)
		if !ok {
			return false, fmt.Errorf("it needs a registered result, this is %s", typeName(v))
		}
		return f(m), nil
	}
}

func isFailed(m map[string]any) bool {
	if f, ok := m["failed"]; ok {
		return truthy(f)
	}
	return m["unreachable"] == true
}

// tests returns every test by its name.
func tests() map[string]testFunc {
	isString := func(v any) bool { _, ok := v.(string); return ok }
	isMap := func(v any) bool {
		switch v.(type) {
		case map[string]any, Scope:
			return true
		}
		return false
	}
	isList := func(v any) bool { _, ok := v.([]any); return ok }
	isInt := func(v any) bool { _, ok := v.(int64); return ok }
	isFloat := func(v any) bool { _, ok := v.(float64); return ok }
	isBool := func(v any) bool { _, ok := v.(bool); return ok }
	rest := func(want int64) testFunc {
		return func(_ *run, v any, _ arguments) (bool, error) {
			x, err := operate("%", v, int64(2))
			return err == nil && equal(x, want), err
		}
	}
	t := map[string]testFunc{
		"defined": ofValue(func(v any) bool {
			_, missing := v.(undefined)
			return !missing
		}),
		"undefined": ofValue(func(v any) bool { _, missing := v.(undefined); return missing }),
		"none":      ofValue(func(v any) bool { return v == nil }),
		"string":    ofValue(isString), "mapping": ofValue(isMap), "integer": ofValue(isInt), "float": ofValue(isFloat), "boolean": ofValue(isBool),
		"number":   ofValue(func(v any) bool { _, ok := number(v); return ok }),
		"sequence": ofValue(func(v any) bool { return isString(v) || isList(v) || isMap(v) }),
		"iterable": ofValue(func(v any) bool { return isString(v) || isList(v) || isMap(v) }),
		"true":     ofValue(func(v any) bool { return v == true }), "false": ofValue(func(v any) bool { return v == false }),
		"truthy": func(_ *run, v any, a arguments) (bool, error) { return isTruthy(v, a), nil },
		"falsy":  func(_ *run, v any, a arguments) (bool, error) { return !isTruthy(v, a), nil },
		"sameas": func(_ *run, v any, a arguments) (bool, error) {
			return len(a.list) == 1 && typeName(v) == typeName(a.list[0]) && equal(v, a.list[0]), nil
		},
		"omitted": ofValue(func(v any) bool { _, ok := v.(vars.Omit); return ok }),
		"lower":   ofValue(func(v any) bool { s := str(v); return s == strings.ToLower(s) && s != strings.ToUpper(s) }),
		"upper":   ofValue(func(v any) bool { s := str(v); return s == strings.ToUpper(s) && s != strings.ToLower(s) }),
		"odd":     rest(1), "even": rest(0),
		"divisibleby": func(_ *run, v any, a arguments) (bool, error) {
			if len(a.list) != 1 {
				return false, errors.New("it needs a number")
			}
			x, err := operate("%", v, a.list[0])
			return err == nil && equal(x, int64(0)), err
		},
		"contains": func(_ *run, v any, a arguments) (bool, error) {
			if len(a.list) != 1 {
				return false, errors.New("it needs what to look for")
			}
			return contains(v, a.list[0])
		},
		"match":  testRegex(`^(?:%s)`),
		"search": testRegex(`%s`), "regex": testRegex(`%s`),
		"version": testVersion, "version_compare": testVersion,
		"subset":      testAll(func(x, y []any) bool { return !slices.ContainsFunc(x, func(v any) bool { return !has(y, v) }) }),
		"superset":    testAll(func(x, y []any) bool { return !slices.ContainsFunc(y, func(v any) bool { return !has(x, v) }) }),
		"failed":      ofResult(isFailed),
		"success":     ofResult(func(m map[string]any) bool { return !isFailed(m) }),
		"changed":     ofResult(func(m map[string]any) bool { return truthy(m["changed"]) }),
		"skipped":     ofResult(func(m map[string]any) bool { return truthy(m["skipped"]) }),
		"unreachable": ofResult(func(m map[string]any) bool { return truthy(m["unreachable"]) }),
		"any":         ofValue(func(v any) bool { l, _ := items(v); return slices.ContainsFunc(l, truthy) }),
		"all": ofValue(func(v any) bool {
			l, _ := items(v)
			return !slices.ContainsFunc(l, func(x any) bool { return !truthy(x) })
		}),
	}
	for op, names := range map[string][]string{
		"==": {"eq", "equalto"}, "!=": {"ne"}, "<": {"lt", "lessthan"}, "<=": {"le"}, ">": {"gt", "greaterthan"}, ">=": {"ge"}, "in": {"in"},
	} {
		for _, n := range append(names, op) {
			t[n] = with(op)
		}
	}
	t["succeeded"], t["successful"], t["change"], t["skip"], t["failure"] = t["success"], t["success"], t["changed"], t["skipped"], t["failed"]
	return t
}

func testRegex(shape string) testFunc {
	return func(_ *run, v any, a arguments) (bool, error) {
		expr, err := a.text(0, "pattern", "")
		if err != nil {
			return false, err
		}
		re, err := pyRegexp(fmt.Sprintf(shape, expr), a)
		return err == nil && re.MatchString(str(v)), err
	}
}

func testAll(holds func(x, y []any) bool) testFunc {
	return func(_ *run, v any, a arguments) (bool, error) {
		if len(a.list) != 1 {
			return false, errors.New("it needs another list")
		}
		x, errX := items(v)
		y, errY := items(a.list[0])
		return holds(x, y), errors.Join(errX, errY)
	}
}

var versionPart = regexp.MustCompile(`\d+|[a-z]+`)

// testVersion compares versions part by part, as Python's LooseVersion does.
func testVersion(_ *run, v any, a arguments) (bool, error) {
	other, ok := a.get(0, "version")
	if !ok {
		return false, errors.New("it needs a version to compare with")
	}
	op, err := a.text(1, "operator", "==")
	if err != nil {
		return false, err
	}
	compared := compareVersions
	switch kind, err := a.text(3, "version_type", ""); {
	case err != nil:
		return false, err
	case kind == "semver" || kind == "semantic":
		compared = compareSemantic
	case kind != "" && kind != "loose" && kind != "strict":
		return false, fmt.Errorf("the version_type %q is not supported; there are: loose, strict, semver", kind)
	}
	c := compared(str(v), str(other))
	switch op {
	case "==", "=", "eq":
		return c == 0, nil
	case "!=", "<>", "ne":
		return c != 0, nil
	case "<", "lt":
		return c < 0, nil
	case "<=", "le":
		return c <= 0, nil
	case ">", "gt":
		return c > 0, nil
	case ">=", "ge":
		return c >= 0, nil
	}
	return false, fmt.Errorf("there is no operator %q for versions", op)
}

func compareVersions(a, b string) int {
	x, y := versionPart.FindAllString(strings.ToLower(a), -1), versionPart.FindAllString(strings.ToLower(b), -1)
	for i := range min(len(x), len(y)) {
		m, errM := strconv.ParseUint(x[i], 10, 64)
		n, errN := strconv.ParseUint(y[i], 10, 64)
		c := strings.Compare(x[i], y[i])
		if errM == nil && errN == nil {
			c = 0
			if m < n {
				c = -1
			} else if m > n {
				c = 1
			}
		}
		if c != 0 {
			return c
		}
	}
	return len(x) - len(y)
}

// compareSemantic compares as https://semver.org does, section 11: what stands
// behind a hyphen comes before the version itself.
func compareSemantic(a, b string) int {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	coreA, preA, hasA := strings.Cut(a, "-")
	coreB, preB, hasB := strings.Cut(b, "-")
	if c := compareVersions(coreA, coreB); c != 0 {
		return c
	}
	switch {
	case hasA && !hasB:
		return -1
	case hasB && !hasA:
		return 1
	}
	return compareVersions(preA, preB)
}

// isTruthy is truthiness, of words such as "no" too if convert_bool says so.
func isTruthy(v any, a arguments) bool {
	if text, ok := v.(string); ok && a.flag(0, "convert_bool", false) {
		switch strings.ToLower(text) {
		case "no", "off", "false", "n", "f", "0":
			return false
		}
	}
	return truthy(v)
}
