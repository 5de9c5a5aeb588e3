package template

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var percentField = regexp.MustCompile(`%(?:\((\w+)\))?([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])`)

// format is Python's % of a text: "%s and %05.2f" % (a, b).
func format(text string, v any) (any, error) {
	args, isList := v.([]any)
	if !isList {
		args = []any{v}
	}
	byName, _ := v.(map[string]any)
	next := 0
	var failed error
	var total int
	out := percentField.ReplaceAllStringFunc(text, func(field string) string {
		m := percentField.FindStringSubmatch(field)
		if m[5] == "%" {
			return "%"
		}
		var arg any
		switch {
		case m[1] != "":
			x, ok := byName[m[1]]
			if !ok {
				failed = errors.Join(failed, fmt.Errorf("there is no value for %s", field))
			}
			arg = x
		case next < len(args):
			arg = args[next]
			next++
		default:
			failed = errors.Join(failed, errors.New("there are fewer values than fields"))
		}
		if len(m[3]) > 6 || len(m[4]) > 6 {
			failed = errors.Join(failed, errTooLarge)
			return ""
		}
		s, err := formatOne(m, arg)
		failed = errors.Join(failed, err)
		if total += len(s); total > maxOutput {
			failed = errors.Join(failed, errTooLarge)
			return ""
		}
		return s
	})
	if failed == nil && isList && next < len(args) && byName == nil {
		failed = errors.New("there are more values than fields")
	}
	return out, failed
}

func formatOne(m []string, arg any) (string, error) {
	spec := "%" + m[2] + m[3]
	if m[4] != "" {
		spec += "." + m[4]
	}
	switch m[5] {
	case "s", "r":
		s := str(arg)
		if m[5] == "r" {
			s = repr(arg)
		}
		return fmt.Sprintf(strings.ReplaceAll(spec, "0-", "-")+"s", s), nil
	case "d", "i", "x", "X", "o":
		f, ok := number(arg)
		if !ok {
			return "", fmt.Errorf("%%%s needs a number, this is %s", m[5], typeName(arg))
		}
		verb := m[5]
		if verb == "i" {
			verb = "d"
		}
		return fmt.Sprintf(spec+verb, int64(f)), nil
	case "f", "F", "e", "E", "g", "G":
		f, ok := number(arg)
		if !ok {
			return "", fmt.Errorf("%%%s needs a number, this is %s", m[5], typeName(arg))
		}
		return fmt.Sprintf(spec+m[5], f), nil
	}
	return "", fmt.Errorf("the format %%%s is not supported", m[5])
}
