package playbook

import (
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Include is what include_tasks and include_role bring. It is read with the
// playbook, so that every mistake is found then; whether and how often it runs
// is decided when it is reached.
type Include struct {
	What  string // the file or the role
	Block *Block // its steps, and what apply: says
}

// include reads the arguments of include_tasks and include_role.
func (r *taskReader) include(value *strictyaml.Node) bool {
	if r.args != nil {
		merged, ok := r.mergeArgs(value, r.args)
		if !ok {
			return false
		}
		value = merged
	}
	r.onlyWhatIncludesHave()
	apply := &Block{Inline: true}
	applyField := strictyaml.Field{Name: "apply", Read: func(n *strictyaml.Node, _ *diag.List) {
		fields := append(r.commonFields(&apply.Common), r.whenField(&apply.Common))
		fields = append(fields, r.delegateFields(&apply.Notify, &apply.DelegateTo, &apply.DelegateFacts)...)
		r.keys(n, "apply", fields...)
	}}
	apply.Pos = r.t.Pos
	r.t.Include = &Include{Block: apply}
	if r.t.Kind == "include_role" {
		return r.includeRole(value, applyField)
	}
	if value.Kind == strictyaml.Map {
		value = r.fileOf(r.t.Written, value, applyField)
	}
	if value == nil {
		return false
	}
	path, text, ok := r.imported(r.t.Written, value, r.beside()...)
	if !ok {
		return false
	}
	r.t.Include.What = path
	apply.Body = r.taskFile(path, text)
	return true
}

func (r *taskReader) includeRole(value *strictyaml.Node, apply strictyaml.Field) bool {
	use := newRoleUse(r.t.Pos)
	use.again = true
	if !r.roleArgs(use, r.t.Written, value, apply) {
		return false
	}
	r.t.Include.Block.Body = r.role(use, map[string]bool{})
	r.t.Include.What = use.role.Name
	return use.role.Name != ""
}

// onlyWhatIncludesHave refuses what an include says of itself and an author
// means for its tasks: Ansible refuses it, too.
func (r *taskReader) onlyWhatIncludesHave() {
	k := r.t.Keywords
	k.IgnoreErrors, k.NoLog, k.RunOnce, k.Timeout = nil, nil, nil, nil
	for _, n := range append(k.Nodes(), append(r.t.Notify, r.t.DelegateTo, r.t.DelegateFacts)...) {
		if n != nil {
			r.errs.Addf(n.Pos, "an include cannot say this of its tasks").WithHint("write it below apply: of %s", r.t.Written)
		}
	}
}
