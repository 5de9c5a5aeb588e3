package template

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/torrust/runner/internal/vars"
)

// filterFunc is a filter: what it is applied to, then its arguments.
type filterFunc func(r *run, v any, a arguments) (any, error)

// filters returns every filter by its name.
func filters() map[string]filterFunc {
	all := scalarFilters()
	maps.Copy(all, listFilters())
	maps.Copy(all, dataFilters())
	return all
}

func filterNames() []string { return slices.Collect(maps.Keys(filters())) }

// onText makes a filter of a function of a text; anything is made a text
// first, as Jinja does.
func onText(f func(string) string) filterFunc {
	return func(_ *run, v any, _ arguments) (any, error) { return f(str(v)), nil }
}

func scalarFilters() map[string]filterFunc {
	return map[string]filterFunc{
		"default": filterDefault, "d": filterDefault, "mandatory": filterMandatory,
		"bool": filterBool, "int": filterInt, "float": filterFloat, "string": onText(func(s string) string { return s }),
		"abs": filterAbs, "round": filterRound, "type_debug": func(_ *run, v any, _ arguments) (any, error) {
			if _, ok := v.(undefined); ok {
				return "AnsibleUndefined", nil
			}
			return typeName(v), nil
		},
		"lower": onText(strings.ToLower), "upper": onText(strings.ToUpper), "capitalize": onText(capitalize), "title": onText(title),
		"trim": filterTrim, "replace": filterReplace, "quote": func(_ *run, v any, _ arguments) (any, error) {
			if v == nil {
				return quote(""), nil
			}
			return quote(str(v)), nil
		},
		"b64encode": onText(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"b64decode": filterB64decode,
		"basename":  onText(func(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }),
		"dirname":   onText(dirname), "splitext": filterSplitext, "path_join": filterPathJoin,
		"ternary": filterTernary, "split": filterSplit, "format": func(_ *run, v any, a arguments) (any, error) { return format(str(v), a.list) },
		"center": filterCenter, "wordcount": func(_ *run, v any, _ arguments) (any, error) { return int64(len(strings.Fields(str(v)))), nil },
		"truncate": filterTruncate, "indent": filterIndent, "comment": onText(func(s string) string {
			return "#\n# " + strings.ReplaceAll(s, "\n", "\n# ") + "\n#"
		}),
	}
}

func filterDefault(_ *run, v any, a arguments) (any, error) {
	_, missing := v.(undefined)
	if _, omitted := v.(vars.Omit); omitted {
		missing = false
	}
	if !missing && !(a.flag(1, "boolean", false) && !truthy(v)) {
		return v, nil
	}
	d, ok := a.get(0, "default_value")
	if !ok {
		return "", nil
	}
	return d, nil
}

func filterMandatory(_ *run, v any, a arguments) (any, error) {
	u, missing := v.(undefined)
	if !missing {
		return v, nil
	}
	msg, err := a.text(0, "msg", "Mandatory variable '"+u.err.Name+"' not defined.")
	if err != nil {
		return nil, err
	}
	return nil, errors.New(msg)
}

func filterBool(_ *run, v any, _ arguments) (any, error) {
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		switch strings.ToLower(v) {
		case "yes", "on", "1", "true":
			return true, nil
		}
		return false, nil
	}
	n, ok := number(v)
	return ok && n == 1, nil
}

func filterInt(_ *run, v any, a arguments) (any, error) {
	fallback, err := a.int(0, "default", 0)
	if err != nil {
		return nil, err
	}
	base, err := a.int(1, "base", 10)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		text := strings.ReplaceAll(strings.TrimSpace(v), "_", "")
		if n, err := strconv.ParseInt(trimBase(text, base), int(base), 64); err == nil {
			return n, nil
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(f) < 1<<63 {
			return int64(f), nil
		}
		return fallback, nil
	case float64:
		if math.IsNaN(v) || math.Abs(v) >= 1<<63 {
			return fallback, nil
		}
		return int64(v), nil
	}
	if n, ok := integer(v); ok {
		return n, nil
	}
	return fallback, nil
}

func trimBase(text string, base int64) string {
	for b, prefix := range map[int64]string{16: "0x", 8: "0o", 2: "0b"} {
		if b == base {
			return strings.TrimPrefix(text, prefix)
		}
	}
	return text
}

func filterFloat(_ *run, v any, a arguments) (any, error) {
	if s, ok := v.(string); ok {
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return f, nil
		}
	} else if f, ok := number(v); ok {
		return f, nil
	}
	if d, ok := a.get(0, "default"); ok {
		return d, nil
	}
	return 0.0, nil
}

func filterAbs(_ *run, v any, _ arguments) (any, error) {
	if n, ok := integer(v); ok {
		if n == math.MinInt64 {
			return nil, errOverflow
		}
		return max(n, -n), nil
	}
	f, ok := v.(float64)
	if !ok {
		return nil, fmt.Errorf("it needs a number, this is %s", typeName(v))
	}
	return math.Abs(f), nil
}

func filterRound(_ *run, v any, a arguments) (any, error) {
	f, ok := number(v)
	if !ok {
		return nil, fmt.Errorf("it needs a number, this is %s", typeName(v))
	}
	precision, err := a.int(0, "precision", 0)
	if err != nil || precision > 300 || precision < -300 {
		return nil, errors.Join(err, fmt.Errorf("the precision %d is out of range", precision))
	}
	method, err := a.text(1, "method", "common")
	if err != nil {
		return nil, err
	}
	scale := math.Pow(10, float64(precision))
	switch method {
	case "common":
		return math.RoundToEven(f*scale) / scale, nil
	case "ceil":
		return math.Ceil(f*scale) / scale, nil
	case "floor":
		return math.Floor(f*scale) / scale, nil
	}
	return nil, fmt.Errorf("the method cannot be %q; one of: common, ceil, floor", method)
}

// quote quotes a word for a POSIX shell as Python's shlex.quote does.
func quote(s string) string {
	const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"
	if s != "" && strings.Trim(s, safe) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

func capitalize(s string) string {
	r := []rune(strings.ToLower(s))
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

func title(s string) string {
	prev := ' '
	return strings.Map(func(r rune) rune {
		start := !unicode.IsLetter(prev) && !unicode.IsDigit(prev) && prev != '\''
		prev = r
		if start {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func filterTrim(_ *run, v any, a arguments) (any, error) {
	chars, err := a.text(0, "chars", " \t\r\n\v\f")
	return strings.Trim(str(v), chars), err
}

func filterReplace(_ *run, v any, a arguments) (any, error) {
	if len(a.list) < 2 {
		return nil, errors.New("it needs what to replace and with what")
	}
	n, err := a.int(2, "count", -1)
	if err != nil {
		return nil, err
	}
	s, from, to := str(v), str(a.list[0]), str(a.list[1])
	if grown := strings.Count(s, from) * (len(to) - len(from)); len(s)+grown > maxOutput {
		return nil, errTooLarge
	}
	return strings.Replace(s, from, to, int(n)), nil
}

func filterB64decode(_ *run, v any, _ arguments) (any, error) {
	out, err := base64.StdEncoding.DecodeString(strings.TrimSpace(str(v)))
	if err != nil {
		return nil, fmt.Errorf("it is not base64: %w", err)
	}
	return string(out), nil
}

func dirname(s string) string {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return ""
	}
	head := s[:i+1]
	if strings.Trim(head, "/") != "" {
		head = strings.TrimRight(head, "/")
	}
	return head
}

func filterSplitext(_ *run, v any, _ arguments) (any, error) {
	s := str(v)
	base := s[strings.LastIndexByte(s, '/')+1:]
	i := strings.LastIndexByte(base, '.')
	if i <= 0 || strings.Trim(base[:i], ".") == "" {
		return []any{s, ""}, nil
	}
	at := len(s) - len(base) + i
	return []any{s[:at], s[at:]}, nil
}

func filterPathJoin(_ *run, v any, _ arguments) (any, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	parts, err := wantList(v)
	if err != nil {
		return nil, err
	}
	out := ""
	for _, p := range parts {
		switch s := str(p); {
		case path.IsAbs(s) || out == "":
			out = s
		case strings.HasSuffix(out, "/"):
			out += s
		default:
			out += "/" + s
		}
	}
	return out, nil
}

func filterTernary(_ *run, v any, a arguments) (any, error) {
	if len(a.list) < 2 {
		return nil, errors.New("it needs a value for true and one for false")
	}
	if v == nil && len(a.list) > 2 {
		return a.list[2], nil
	}
	if truthy(v) {
		return a.list[0], nil
	}
	return a.list[1], nil
}

func filterSplit(_ *run, v any, a arguments) (any, error) {
	return splitText(str(v), a)
}

func filterCenter(_ *run, v any, a arguments) (any, error) {
	width, err := a.int(0, "width", 80)
	if err != nil || width > maxOutput {
		return nil, errors.Join(err, errTooLarge)
	}
	s := str(v)
	pad := int(width) - len([]rune(s))
	if pad <= 0 {
		return s, nil
	}
	left := pad/2 + pad&int(width)&1
	return strings.Repeat(" ", left) + s + strings.Repeat(" ", pad-left), nil
}

func filterTruncate(_ *run, v any, a arguments) (any, error) {
	length, err := a.int(0, "length", 255)
	if err != nil || length < 0 {
		return nil, errors.Join(err, errors.New("the length must not be negative"))
	}
	end, err := a.text(2, "end", "...")
	if err != nil {
		return nil, err
	}
	leeway, err := a.int(3, "leeway", 5)
	if err != nil {
		return nil, err
	}
	s := []rune(str(v))
	if int64(len(s)) <= length+leeway {
		return string(s), nil
	}
	cut := string(s[:max(0, length-int64(len([]rune(end))))])
	if !a.flag(1, "killwords", false) {
		if i := strings.LastIndexByte(cut, ' '); i >= 0 {
			cut = cut[:i]
		}
	}
	return cut + end, nil
}

func filterIndent(_ *run, v any, a arguments) (any, error) {
	pad := "    "
	if w, ok := a.get(0, "width"); ok {
		if n, isInt := integer(w); isInt {
			if n < 0 || n > 10_000 {
				return nil, errTooLarge
			}
			pad = strings.Repeat(" ", int(n))
		} else {
			pad = str(w)
		}
	}
	first, blank := a.flag(1, "first", false), a.flag(2, "blank", false)
	lines := strings.Split(str(v), "\n")
	if len(lines)*len(pad) > maxOutput {
		return nil, errTooLarge
	}
	for i, line := range lines {
		if (i > 0 || first) && (line != "" || blank) {
			lines[i] = pad + line
		}
	}
	return strings.Join(lines, "\n"), nil
}
