package playbook

import "github.com/torrust/runner/internal/strictyaml"

// roles reads the roles of a play.
func (l *loader) roles(n *strictyaml.Node) []Step {
	if n.Kind != strictyaml.Null {
		l.errs.Addf(n.Pos, "roles are not supported").WithHint("write import_tasks")
	}
	return nil
}
