package template

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // what Ansible's filters are called for
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"regexp"
	"strings"
)

func dataFilters() map[string]filterFunc {
	return map[string]filterFunc{
		"to_json": filterToJSON(false), "tojson": filterToJSON(false), "to_nice_json": filterToJSON(true), "from_json": filterFromJSON,
		"regex_replace": filterRegexReplace, "regex_search": filterRegexSearch, "regex_findall": filterRegexFindall,
		"regex_escape": onText(regexp.QuoteMeta), "urlencode": filterURLEncode,
		"hash": filterHash, "checksum": func(r *run, v any, _ arguments) (any, error) { return filterHash(r, v, arguments{}) },
		"sha1":           func(r *run, v any, _ arguments) (any, error) { return filterHash(r, v, arguments{}) },
		"md5":            func(r *run, v any, _ arguments) (any, error) { return filterHash(r, v, arguments{list: []any{"md5"}}) },
		"human_readable": filterHumanReadable,
	}
}

// filterToJSON writes JSON as Python's json.dumps does.
func filterToJSON(nice bool) filterFunc {
	return func(_ *run, v any, a arguments) (any, error) {
		indent := int64(0)
		if nice {
			indent = 4
		}
		indent, err := a.int(len(a.list), "indent", indent)
		if err != nil || indent < 0 || indent > 100 {
			return nil, errors.Join(err, fmt.Errorf("an indent of %d", indent))
		}
		var out output
		if err := writeJSON(&out, v, int(indent), 0); err != nil {
			return nil, err
		}
		return out.String(), nil
	}
}

func writeJSON(out *output, v any, indent, depth int) error {
	if depth > maxNesting {
		return errors.New("it is nested too deep")
	}
	newline := func(depth int) string {
		if indent == 0 {
			return ""
		}
		return "\n" + strings.Repeat(" ", indent*depth)
	}
	comma := ", "
	if indent > 0 {
		comma = ","
	}
	list := func(open, end string, n int, each func(i int) error) error {
		if n == 0 {
			return out.add(open + end)
		}
		if err := out.add(open); err != nil {
			return err
		}
		for i := range n {
			if i > 0 {
				if err := out.add(comma); err != nil {
					return err
				}
			}
			if err := errors.Join(out.add(newline(depth+1)), each(i)); err != nil {
				return err
			}
		}
		return out.add(newline(depth) + end)
	}
	switch v := v.(type) {
	case []any:
		return list("[", "]", len(v), func(i int) error { return writeJSON(out, v[i], indent, depth+1) })
	case map[string]any:
		all := pairs(v)
		return list("{", "}", len(all), func(i int) error {
			pair, _ := all[i].([]any)
			if err := writeJSON(out, pair[0], indent, depth+1); err != nil {
				return err
			}
			return errors.Join(out.add(": "), writeJSON(out, pair[1], indent, depth+1))
		})
	case float64:
		return out.add(floatRepr(v))
	case string:
		return out.add(jsonString(v))
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return out.add(string(b))
}

// jsonString writes what is not ASCII as \u escapes, as Python does.
func jsonString(s string) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string can be encoded
	var b strings.Builder
	for _, r := range strings.TrimSuffix(buf.String(), "\n") {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func filterFromJSON(_ *run, v any, _ arguments) (any, error) {
	dec := json.NewDecoder(strings.NewReader(str(v)))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if dec.More() {
		return nil, errors.New("it is not JSON: there is more behind the value")
	}
	return jsonNumbers(out), nil
}

func jsonNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64() // the decoder has checked it
		return f
	case []any:
		for i := range v {
			v[i] = jsonNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = jsonNumbers(v[k])
		}
	}
	return v
}

// pyRegexp compiles a regular expression of Python. What RE2 lacks (look
// around, back references) is refused by its compiler.
func pyRegexp(expr string, a arguments) (*regexp.Regexp, error) {
	flags := ""
	if f, ok := a.kw["ignorecase"]; ok && truthy(f) {
		flags += "i"
	}
	if f, ok := a.kw["multiline"]; ok && truthy(f) {
		flags += "m"
	}
	if flags != "" {
		expr = "(?" + flags + ")" + expr
	}
	expr = strings.ReplaceAll(expr, `\Z`, `\z`)
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q: %w", expr, err)
	}
	return re, nil
}

var (
	groupRef = regexp.MustCompile(`\\(\d+)|\\g<(\w+)>`)
	dollars  = strings.NewReplacer("$", "$$")
)

func filterRegexReplace(_ *run, v any, a arguments) (any, error) {
	expr, errExpr := a.text(0, "pattern", "")
	to, errTo := a.text(1, "replacement", "")
	if err := errors.Join(errExpr, errTo); err != nil {
		return nil, err
	}
	re, err := pyRegexp(expr, a)
	if err != nil {
		return nil, err
	}
	template := groupRef.ReplaceAllString(dollars.Replace(to), "$${$1$2}")
	out := re.ReplaceAllString(str(v), strings.ReplaceAll(template, `\n`, "\n"))
	if len(out) > maxOutput {
		return nil, errTooLarge
	}
	return out, nil
}

func filterRegexSearch(_ *run, v any, a arguments) (any, error) {
	expr, err := a.text(0, "regex", "")
	if err != nil {
		return nil, err
	}
	re, err := pyRegexp(expr, a)
	if err != nil {
		return nil, err
	}
	m := re.FindStringSubmatch(str(v))
	if m == nil {
		return nil, nil
	}
	if len(a.list) < 2 {
		return m[0], nil
	}
	out := []any{}
	for _, ref := range a.list[1:] {
		g := groupRef.FindStringSubmatch(str(ref))
		if g == nil {
			return nil, fmt.Errorf(`%q is not a group such as \1 or \g<name>`, str(ref))
		}
		n := re.SubexpIndex(g[2])
		if g[1] != "" {
			_, _ = fmt.Sscan(g[1], &n) // digits
		}
		if n < 0 || n >= len(m) {
			return nil, fmt.Errorf("there is no group %s", str(ref))
		}
		out = append(out, m[n])
	}
	return out, nil
}

func filterRegexFindall(_ *run, v any, a arguments) (any, error) {
	expr, err := a.text(0, "regex", "")
	if err != nil {
		return nil, err
	}
	re, err := pyRegexp(expr, a)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, m := range re.FindAllStringSubmatch(str(v), maxElements) {
		switch len(m) {
		case 1:
			out = append(out, m[0])
		case 2:
			out = append(out, m[1])
		default:
			row := []any{}
			for _, g := range m[1:] {
				row = append(row, g)
			}
			out = append(out, row)
		}
	}
	return out, nil
}

func filterHash(_ *run, v any, a arguments) (any, error) {
	kind, err := a.text(0, "hashtype", "sha1")
	if err != nil {
		return nil, err
	}
	makers := map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}
	make, ok := makers[kind]
	if !ok {
		return nil, fmt.Errorf("there is no hash %q", kind)
	}
	h := make()
	h.Write([]byte(str(v)))
	return hex.EncodeToString(h.Sum(nil)), nil
}

func filterHumanReadable(_ *run, v any, a arguments) (any, error) {
	f, ok := number(v)
	if !ok {
		return nil, fmt.Errorf("it needs a number, this is %s", typeName(v))
	}
	unit := "Bytes"
	if a.flag(0, "isbits", false) {
		unit = "bits"
	}
	base := unit[:1]
	for _, u := range []struct {
		limit float64
		name  string
	}{{1 << 80, "Y"}, {1 << 70, "Z"}, {1 << 60, "E"}, {1 << 50, "P"}, {1 << 40, "T"}, {1 << 30, "G"}, {1 << 20, "M"}, {1 << 10, "K"}} {
		if f >= u.limit {
			return fmt.Sprintf("%.2f %s%s", f/u.limit, u.name, base), nil
		}
	}
	return fmt.Sprintf("%.2f %s", f, unit), nil
}

// filterURLEncode quotes text, slashes excepted; of a mapping or of pairs it
// makes a query.
func filterURLEncode(_ *run, v any, _ arguments) (any, error) {
	var list []any
	switch v := v.(type) {
	case map[string]any:
		list = pairs(v)
	case []any:
		list = v
	default:
		parts := strings.Split(str(v), "/")
		for i := range parts {
			parts[i] = strings.ReplaceAll(url.QueryEscape(parts[i]), "+", "%20")
		}
		return strings.Join(parts, "/"), nil
	}
	var query []string
	for _, item := range list {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, errors.New("it needs text, a mapping or pairs")
		}
		query = append(query, url.QueryEscape(str(pair[0]))+"="+url.QueryEscape(str(pair[1])))
	}
	return strings.Join(query, "&"), nil
}
