package plan

import (
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/tasks"
)

// Kinds tells the grammar of playbooks which task kinds reg has.
func Kinds(reg *tasks.Registry) playbook.Kinds { return kinds{reg} }

type kinds struct{ *tasks.Registry }

// Lookup implements [playbook.Kinds].
func (k kinds) Lookup(name string) (playbook.Kind, bool) {
	spec, ok := k.Registry.Lookup(name)
	if !ok {
		return playbook.Kind{}, false
	}
	kind := playbook.Kind{FreeForm: spec.FreeForm}
	for _, p := range spec.Params() {
		kind.Params = append(append(kind.Params, p.Name), p.Aliases...)
	}
	return kind, true
}
