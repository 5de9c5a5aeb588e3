package template

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/torrust/runner/internal/diag"
)

// call calls a function of ours, or a method of a value: there are no others.
func (r *run) call(x call) (any, error) {
	switch fn := x.fn.(type) {
	case name:
		a, err := r.args(x.args, x.kw)
		if err != nil {
			return nil, err
		}
		f, ok := functions()[fn.name]
		if !ok {
			return nil, fmt.Errorf("there is no function '%s'", fn.name)
		}
		out, err := f(r, a)
		if err != nil {
			return nil, fmt.Errorf("%s(): %w", fn.name, err)
		}
		return out, nil
	case attribute:
		of, err := r.value(fn.of)
		if err != nil {
			return nil, err
		}
		a, err := r.args(x.args, x.kw)
		if err != nil {
			return nil, err
		}
		out, err := r.method(of, fn.name, a)
		if err != nil {
			return nil, fmt.Errorf(".%s(): %w", fn.name, err)
		}
		return out, nil
	}
	return nil, errors.New("only functions and methods can be called")
}

type function func(r *run, a arguments) (any, error)

func functions() map[string]function {
	return map[string]function{
		"namespace": func(_ *run, a arguments) (any, error) { return &namespace{maps.Clone(a.kw)}, nil },
		"range":     callRange, "dict": func(_ *run, a arguments) (any, error) { return a.kw, nil },
		"lookup": func(r *run, a arguments) (any, error) { return r.lookup(a, false) },
		"query":  func(r *run, a arguments) (any, error) { return r.lookup(a, true) },
		"q":      func(r *run, a arguments) (any, error) { return r.lookup(a, true) },
		"now": func(r *run, a arguments) (any, error) {
			now := r.e.o.Now()
			if a.flag(0, "utc", false) {
				now = now.UTC()
			}
			layout, err := a.text(1, "fmt", "")
			if err != nil || layout == "" {
				return now.Format("2006-01-02 15:04:05.000000"), err
			}
			return strftime(layout, now), nil
		},
	}
}

// strftime formats a time by the usual codes of strftime(3).
func strftime(layout string, t time.Time) string {
	return strings.NewReplacer(
		"%Y", t.Format("2006"), "%m", t.Format("01"), "%d", t.Format("02"), "%H", t.Format("15"), "%M", t.Format("04"), "%S", t.Format("05"),
		"%y", t.Format("06"), "%j", t.Format("002"), "%b", t.Format("Jan"), "%B", t.Format("January"), "%a", t.Format("Mon"), "%A", t.Format("Monday"),
		"%Z", t.Format("MST"), "%z", t.Format("-0700"), "%s", fmt.Sprint(t.Unix()), "%f", t.Format("000000"), "%F", t.Format("2006-01-02"), "%T", t.Format("15:04:05"), "%%", "%",
	).Replace(layout)
}

func callRange(_ *run, a arguments) (any, error) {
	n := make([]int64, len(a.list))
	for i, v := range a.list {
		x, ok := integer(v)
		if !ok {
			return nil, fmt.Errorf("it needs integers, this is %s", typeName(v))
		}
		n[i] = x
	}
	from, to, step := int64(0), int64(0), int64(1)
	switch len(n) {
	case 1:
		to = n[0]
	case 2:
		from, to = n[0], n[1]
	case 3:
		from, to, step = n[0], n[1], n[2]
	default:
		return nil, errors.New("it needs one to three integers")
	}
	if step == 0 {
		return nil, errors.New("the step cannot be 0")
	}
	if count := (float64(to) - float64(from)) / float64(step); count > maxElements {
		return nil, errTooLarge
	}
	out := []any{}
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		out = append(out, i)
	}
	return out, nil
}

// method calls a method of a text, a list or a mapping, as Python has it.
func (r *run) method(of any, method string, a arguments) (any, error) {
	switch of := of.(type) {
	case string:
		if f, ok := textMethods()[method]; ok {
			return f(of, a)
		}
		return nil, noMethod(of, method, textMethods())
	case []any:
		switch method {
		case "index":
			for i, v := range of {
				if len(a.list) > 0 && equal(v, a.list[0]) {
					return int64(i), nil
				}
			}
			return nil, errors.New("it is not in the list")
		case "count":
			n := int64(0)
			for _, v := range of {
				if len(a.list) > 0 && equal(v, a.list[0]) {
					n++
				}
			}
			return n, nil
		case "append", "extend", "insert", "remove", "pop":
			return nil, errors.New("templates cannot change values; join lists with +")
		}
	case map[string]any:
		switch method {
		case "items":
			return pairs(of), nil
		case "keys":
			return items(of)
		case "values":
			out := []any{}
			for _, k := range slices.Sorted(maps.Keys(of)) {
				out = append(out, of[k])
			}
			return out, nil
		case "get":
			if len(a.list) == 0 {
				return nil, errors.New("it needs a key")
			}
			if v, ok := of[str(a.list[0])]; ok {
				return v, nil
			}
			fallback, _ := a.get(1, "default")
			return fallback, nil
		case "cycle":
			if at, ok := of["index0"].(int64); ok && len(a.list) > 0 { // of loop
				return a.list[int(at)%len(a.list)], nil
			}
		case "update", "pop", "setdefault":
			return nil, errors.New("templates cannot change values; use the filter combine")
		}
	case Scope:
		switch method {
		case "keys":
			return items(of)
		case "get":
			if len(a.list) == 0 {
				return nil, errors.New("it needs a key")
			}
			v, err := r.member(of, str(a.list[0]))
			if _, missing := v.(undefined); missing {
				fallback, _ := a.get(1, "default")
				return fallback, nil
			}
			return v, err
		}
	}
	return nil, fmt.Errorf("%s has no such method", typeName(of))
}

func noMethod(of any, method string, known map[string]textMethod) error {
	msg := typeName(of) + " has no such method"
	if near := diag.Suggest(method, slices.Collect(maps.Keys(known))); near != "" {
		msg += "; did you mean ." + near + "()?"
	}
	return errors.New(msg)
}

type textMethod func(s string, a arguments) (any, error)

func textMethods() map[string]textMethod {
	plain := func(f func(string) string) textMethod {
		return func(s string, _ arguments) (any, error) { return f(s), nil }
	}
	stripped := func(f func(s, cut string) string) textMethod {
		return func(s string, a arguments) (any, error) {
			cut, err := a.text(0, "chars", " \t\r\n\v\f")
			return f(s, cut), err
		}
	}
	asked := func(f func(s, x string) bool) textMethod {
		return func(s string, a arguments) (any, error) {
			if len(a.list) == 0 {
				return nil, errors.New("it needs a string")
			}
			options, isList := a.list[0].([]any)
			if !isList {
				options = a.list[:1]
			}
			return slices.ContainsFunc(options, func(x any) bool { return f(s, str(x)) }), nil
		}
	}
	only := func(chars func(r rune) bool) textMethod {
		return func(s string, _ arguments) (any, error) {
			return s != "" && strings.IndexFunc(s, func(r rune) bool { return !chars(r) }) < 0, nil
		}
	}
	return map[string]textMethod{
		"lower": plain(strings.ToLower), "upper": plain(strings.ToUpper), "title": plain(title), "capitalize": plain(capitalize),
		"strip": stripped(strings.Trim), "lstrip": stripped(strings.TrimLeft), "rstrip": stripped(strings.TrimRight),
		"startswith": asked(strings.HasPrefix), "endswith": asked(strings.HasSuffix),
		"split":   splitText,
		"isdigit": only(func(r rune) bool { return r >= '0' && r <= '9' }),
		"isalpha": only(func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f }),
		"splitlines": func(s string, _ arguments) (any, error) {
			out := []any{}
			for line := range strings.Lines(s) {
				out = append(out, strings.TrimRight(line, "\r\n"))
			}
			return out, nil
		},
		"replace": func(s string, a arguments) (any, error) { return filterReplace(nil, s, a) },
		"join": func(s string, a arguments) (any, error) {
			if len(a.list) != 1 {
				return nil, errors.New("it needs a list")
			}
			l, err := items(a.list[0])
			if err != nil {
				return nil, err
			}
			parts := make([]string, len(l))
			for i, v := range l {
				text, ok := v.(string)
				if !ok {
					return nil, fmt.Errorf("item %d is %s, no string", i, typeName(v))
				}
				parts[i] = text
			}
			return strings.Join(parts, s), nil
		},
		"find": func(s string, a arguments) (any, error) {
			x, err := a.text(0, "sub", "")
			return int64(strings.Index(s, x)), err
		},
		"count": func(s string, a arguments) (any, error) {
			x, err := a.text(0, "sub", "")
			return int64(strings.Count(s, x)), err
		},
		"format": braceFormat,
		"zfill": func(s string, a arguments) (any, error) {
			n, err := a.int(0, "width", 0)
			if err != nil || n > maxOutput {
				return nil, errors.Join(err, errTooLarge)
			}
			return strings.Repeat("0", max(0, int(n)-len(s))) + s, nil
		},
	}
}

// splitText is Python's str.split.
func splitText(s string, a arguments) (any, error) {
	n, err := a.int(1, "maxsplit", -1)
	if err != nil {
		return nil, err
	}
	var parts []string
	if sep, ok := a.get(0, "sep"); ok && sep != nil {
		text, isText := sep.(string)
		if !isText || text == "" {
			return nil, errors.New("the separator must be a string that is not empty")
		}
		limit := -1
		if n >= 0 {
			limit = int(n) + 1
		}
		parts = strings.SplitN(s, text, limit)
	} else {
		rest := strings.TrimLeft(s, " \t\r\n")
		for ; rest != ""; n-- {
			end := strings.IndexAny(rest, " \t\r\n")
			if end < 0 || n == 0 {
				parts = append(parts, strings.TrimRight(rest, " \t\r\n"))
				break
			}
			parts = append(parts, rest[:end])
			rest = strings.TrimLeft(rest[end:], " \t\r\n")
		}
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out, nil
}

// braceFormat is Python's str.format with {} and {0} and {name}.
func braceFormat(s string, a arguments) (any, error) {
	var out output
	next := 0
	for {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			return out.String() + s, nil
		}
		if err := out.add(s[:i]); err != nil {
			return nil, err
		}
		if i+1 < len(s) && s[i+1] == s[i] {
			_ = out.add(s[i : i+1]) // bounded by the format itself
			s = s[i+2:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if s[i] == '}' || end < 0 {
			return nil, errors.New("a single brace in the format")
		}
		field := s[i+1 : i+end]
		s = s[i+end+1:]
		var v any
		ok := false
		switch n := 0; {
		case field == "":
			v, ok = a.get(next, "")
			next++
		case strings.Trim(field, "0123456789") == "":
			_, _ = fmt.Sscan(field, &n) // digits
			v, ok = a.get(n, "")
		default:
			v, ok = a.kw[field]
		}
		if !ok {
			return nil, fmt.Errorf("there is no value for {%s}", field)
		}
		if err := out.add(str(v)); err != nil {
			return nil, err
		}
	}
}

// lookups are those that there are.
var lookups = []string{"env", "file", "vars", "pipe", "dict", "items", "list"}

// lookup reaches out of the template, as far as the options of the engine let
// it.
func (r *run) lookup(a arguments, wantList bool) (any, error) {
	if len(a.list) == 0 {
		return nil, errors.New("it needs the name of a lookup")
	}
	kind := strings.TrimPrefix(str(a.list[0]), "ansible.builtin.")
	var found []any
	for _, term := range a.list[1:] {
		v, err := r.lookupOne(kind, term, a)
		if err != nil {
			return nil, err
		}
		found = append(found, v...)
	}
	if len(a.list) == 1 && !slices.Contains(lookups, kind) {
		return nil, noLookup(kind)
	}
	if wantList {
		if found == nil {
			found = []any{}
		}
		return found, nil
	}
	if len(found) == 1 {
		return found[0], nil
	}
	parts := make([]string, len(found))
	for i, v := range found {
		if _, ok := v.(string); !ok {
			return found, nil
		}
		parts[i] = str(v)
	}
	return strings.Join(parts, ","), nil
}

func noLookup(kind string) error {
	msg := "there is no lookup '" + kind + "'"
	if near := diag.Suggest(kind, lookups); near != "" {
		return errors.New(msg + "; did you mean '" + near + "'?")
	}
	return errors.New(msg + "; there are: " + strings.Join(lookups, ", "))
}

func (r *run) lookupOne(kind string, term any, a arguments) ([]any, error) {
	switch kind {
	case "env":
		if r.e.o.Env == nil {
			return nil, errors.New("the environment cannot be read here")
		}
		v := r.e.o.Env(str(term))
		if fallback, ok := a.kw["default"]; ok && v == "" {
			return []any{fallback}, nil
		}
		if secretName(str(term)) && r.e.o.Secret != nil && v != "" {
			r.e.o.Secret(v)
		}
		return []any{v}, nil
	case "file":
		path := str(term)
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.e.o.Dir, path)
			if _, err := os.Stat(path); err != nil {
				path = filepath.Join(r.e.o.Dir, "files", str(term))
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(text) > maxOutput {
			return nil, errTooLarge
		}
		return []any{strings.TrimRight(string(text), " \t\r\n")}, nil
	case "pipe":
		if r.e.o.Run == nil {
			return nil, errors.New("commands cannot be run here")
		}
		out, err := r.e.o.Run(r.ctx, str(term))
		return []any{out}, err
	case "vars":
		v, err := r.variable(str(term))
		if _, missing := v.(undefined); missing {
			if fallback, ok := a.kw["default"]; ok {
				return []any{fallback}, nil
			}
			_, err = defined(v)
		}
		return []any{v}, err
	case "dict":
		m, err := wantMap(term)
		if err != nil {
			return nil, err
		}
		out, err := filterDict2items(r, m, arguments{})
		l, _ := out.([]any)
		return l, err
	case "items", "list":
		l, ok := term.([]any)
		if !ok {
			return []any{term}, nil
		}
		return l, nil
	}
	return nil, noLookup(kind)
}

// secretName tells whether a variable of the environment holds a secret.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"pass", "secret", "token", "key", "credential"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}
