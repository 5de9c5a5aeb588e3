package template

import "fmt"

// namespace is what namespace() makes: values that a loop may set for what
// comes after it.
type namespace struct{ values map[string]any }

// assignMember sets a member of a namespace: {% set ns.x = v %}.
func (r *run) assignMember(of, name string, v any) error {
	ns, ok := r.local[of].(*namespace)
	if !ok {
		return fmt.Errorf("%s.%s cannot be set: %s is no namespace()", of, name, of)
	}
	ns.values[name] = v
	return nil
}
