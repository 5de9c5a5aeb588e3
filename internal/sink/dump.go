package sink

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// dump writes v as Python's json.dumps with sorted keys does, since that is
// what people's eyes and scripts expect after "=>": ", " and ": " between the
// parts on one line, or indented by four blanks.
func dump(v any, pretty bool) string {
	var b strings.Builder
	dumpTo(&b, v, pretty, "\n")
	return b.String()
}

func dumpTo(b *strings.Builder, v any, pretty bool, newline string) {
	inner := newline + "    "
	begin := func(i int) {
		switch {
		case i > 0 && pretty:
			b.WriteString("," + inner)
		case i > 0:
			b.WriteString(", ")
		case pretty:
			b.WriteString(inner)
		}
	}
	end := func(n int, bracket string) {
		if n > 0 && pretty {
			b.WriteString(newline)
		}
		b.WriteString(bracket)
	}
	switch v := v.(type) {
	case map[string]any:
		b.WriteString("{")
		for i, key := range slices.Sorted(maps.Keys(v)) {
			begin(i)
			b.WriteString(scalar(key) + ": ")
			dumpTo(b, v[key], pretty, inner)
		}
		end(len(v), "}")
	case []any:
		b.WriteString("[")
		for i, item := range v {
			begin(i)
			dumpTo(b, item, pretty, inner)
		}
		end(len(v), "]")
	case nil:
		b.WriteString("null")
	default:
		if plain, ok := plainValue(v); ok {
			dumpTo(b, plain, pretty, newline)
			return
		}
		b.WriteString(scalar(v))
	}
}

// plainValue turns maps and slices of other types into those that JSON
// decodes to.
func plainValue(v any) (any, bool) {
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() != reflect.Uint8:
		out := make([]any, rv.Len())
		for i := range out {
			out[i] = rv.Index(i).Interface()
		}
		return out, true
	case rv.Kind() == reflect.Map:
		out := make(map[string]any, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			out[fmt.Sprint(it.Key().Interface())] = it.Value().Interface()
		}
		return out, true
	}
	return nil, false
}

func scalar(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return scalar(fmt.Sprint(v)) // NaN, a channel: show what there is
	}
	return strings.TrimSuffix(b.String(), "\n")
}
