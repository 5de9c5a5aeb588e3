package template

import (
	"fmt"
)

// arguments are those of a filter, a test or a function.
type arguments struct {
	list []any
	kw   map[string]any
}

// get returns the argument at a place or of a name; nil and false if it is not
// given.
func (a arguments) get(at int, name string) (any, bool) {
	if at < len(a.list) {
		return a.list[at], true
	}
	v, ok := a.kw[name]
	return v, ok
}

func (a arguments) text(at int, name, fallback string) (string, error) {
	v, ok := a.get(at, name)
	if !ok {
		return fallback, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s must be a string, this is %s", name, typeName(v))
	}
	return s, nil
}

func (a arguments) int(at int, name string, fallback int64) (int64, error) {
	v, ok := a.get(at, name)
	if !ok {
		return fallback, nil
	}
	n, ok := integer(v)
	if !ok {
		return 0, fmt.Errorf("%s must be an integer, this is %s", name, typeName(v))
	}
	return n, nil
}

func (a arguments) flag(at int, name string, fallback bool) bool {
	v, ok := a.get(at, name)
	if !ok {
		return fallback
	}
	return truthy(v)
}

func wantList(v any) ([]any, error) { return items(v) }

func wantMap(v any) (map[string]any, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it needs a mapping, this is %s", typeName(v))
	}
	return m, nil
}
