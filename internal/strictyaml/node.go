package strictyaml

import (
	"strings"

	"github.com/torrust/runner/internal/diag"
)

// Get returns the value of key in a mapping, nil if n is nil, no mapping, or
// has no such key.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, p := range n.Pairs {
		if p.Key.Text == key {
			return p.Value
		}
	}
	return nil
}

// Native returns n as nil, bool, int64, float64, string, []any or
// map[string]any. The result is the caller's own. Values under an
// application's tag come out as what convert makes of them; with a nil
// convert the tag is ignored.
func (n *Node) Native(convert func(*Node) (any, error)) (any, error) {
	if n == nil {
		return nil, nil
	}
	if n.Tag != "" && convert != nil {
		return convert(n)
	}
	switch n.Kind {
	case Seq:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			v, err := item.Native(convert)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case Map:
		out := make(map[string]any, len(n.Pairs))
		for _, p := range n.Pairs {
			v, err := p.Value.Native(convert)
			if err != nil {
				return nil, err
			}
			out[p.Key.Text] = v
		}
		return out, nil
	}
	return n.Value, nil
}

// Field is a key that a mapping may have.
type Field struct {
	Name     string
	Aliases  []string
	Required bool
	// Refused, if set, makes the key an error that says so: for keys that
	// are known elsewhere and deliberately not supported here.
	Refused string
	// Read takes the value. It reports mistakes through errs.
	Read func(value *Node, errs *diag.List)
}

// Fields reads a mapping by the given fields, in the order written. It
// reports to errs: n is no mapping, an unknown key (with a suggestion), a
// refused key, a missing required key. what names the mapping in messages:
// "a play". It returns false if n is no mapping.
func Fields(n *Node, what string, errs *diag.List, fields ...Field) bool {
	if n.Kind != Map {
		errs.Addf(n.Pos, "%s must be a mapping, this is %s", what, n.Kind)
		return false
	}
	byName := map[string]*Field{}
	var names []string
	for i := range fields {
		f := &fields[i]
		byName[f.Name] = f
		for _, a := range f.Aliases {
			byName[a] = f
		}
		if f.Refused == "" {
			names = append(names, f.Name)
		}
	}
	given := map[*Field]bool{}
	for _, p := range n.Pairs {
		f, ok := byName[p.Key.Text]
		switch {
		case !ok:
			e := errs.Addf(p.Key.Pos, "%s has no key %q", what, p.Key.Text)
			if s := diag.Suggest(p.Key.Text, names); s != "" {
				e.WithHint("did you mean %q?", s)
			} else if len(names) <= 12 {
				e.WithHint("known: %s", strings.Join(names, ", "))
			}
		case f.Refused != "":
			errs.Addf(p.Key.Pos, "%q is not supported", p.Key.Text).WithHint("%s", f.Refused)
		default:
			given[f] = true
			f.Read(p.Value, errs)
		}
	}
	for i := range fields {
		if f := &fields[i]; f.Required && !given[f] {
			errs.Addf(n.Pos, "%s needs the key %q", what, f.Name)
		}
	}
	return true
}
