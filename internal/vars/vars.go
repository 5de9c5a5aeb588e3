// Package vars owns layered variables: which layer gives a name its value,
// and which values it hides.
//
// It never knows where the layers come from, and it never expands a value:
// a value may be the text of a template.
package vars

import (
	"maps"
	"slices"

	"github.com/torrust/runner/internal/diag"
)

// Level is a place in Ansible's order of precedence; a higher one wins.
// See "Variable precedence: where should I put a variable?" in Ansible's
// documentation; the order is that of its code.
type Level int

// The levels, lowest first.
const (
	RoleDefaults Level = iota + 2
	InventoryAll
	InventoryGroup
	GroupVarsAll
	PlaybookGroupVarsAll
	GroupVars
	PlaybookGroupVars
	InventoryHost
	HostVars
	PlaybookHostVars
	Facts
	Play
	Prompt
	VarsFiles
	RoleVars
	Block
	Task
	IncludeVars
	Registered // set_fact and register
	RoleParams
	IncludeParams
	Extra
	Magic
)

var levelNames = map[Level]string{
	RoleDefaults: "role defaults", InventoryAll: "inventory vars of all", InventoryGroup: "inventory group vars",
	GroupVarsAll: "group_vars/all beside the inventory", PlaybookGroupVarsAll: "group_vars/all beside the playbook",
	GroupVars: "group_vars beside the inventory", PlaybookGroupVars: "group_vars beside the playbook",
	InventoryHost: "inventory host vars", HostVars: "host_vars beside the inventory", PlaybookHostVars: "host_vars beside the playbook",
	Facts: "facts", Play: "play vars", Prompt: "vars_prompt", VarsFiles: "vars_files", RoleVars: "role vars", Block: "block vars",
	Task: "task vars", IncludeVars: "include_vars", Registered: "set_fact or register", RoleParams: "role parameters",
	IncludeParams: "include parameters", Extra: "extra vars (-e)", Magic: "magic variables",
}

// String names the level as people know it.
func (l Level) String() string { return levelNames[l] }

// Layer is a set of values from one source. It must not change once it is
// part of a Stack.
type Layer struct {
	Level  Level
	Source string // for people: a file name, "-e", "play"
	Values map[string]any
	Pos    map[string]diag.Pos // where a name is set; may lack any of them
	// Literal says that the values are never expanded as templates: they
	// are results already, or came from a host that must not be able to
	// make the controller evaluate anything.
	Literal bool
}

// Stack is layers, the weakest first. Layers of one level stand in the order
// in which they were read; the later one wins.
type Stack []Layer

// With returns a new stack with the layers put in their places.
func (s Stack) With(layers ...Layer) Stack {
	out := append(slices.Clone(s), layers...)
	slices.SortStableFunc(out, func(a, b Layer) int { return int(a.Level) - int(b.Level) })
	return out
}

// Lookup returns the value that wins for name, and whether it must not be
// expanded as a template.
func (s Stack) Lookup(name string) (value any, literal, ok bool) {
	for _, layer := range slices.Backward(s) {
		if v, ok := layer.Values[name]; ok {
			return v, layer.Literal, true
		}
	}
	return nil, false, false
}

// Names returns every name that has a value, sorted.
func (s Stack) Names() []string {
	seen := map[string]bool{}
	for _, layer := range s {
		for name := range layer.Values {
			seen[name] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Flat returns the winning value of every name.
func (s Stack) Flat() map[string]any {
	out := map[string]any{}
	for _, layer := range s {
		maps.Copy(out, layer.Values)
	}
	return out
}

// Origin is one layer's word on a name.
type Origin struct {
	Level  Level
	Source string
	Pos    diag.Pos
	Value  any
}

// Explain returns every layer that sets name, the winner first.
func (s Stack) Explain(name string) []Origin {
	var out []Origin
	for _, layer := range slices.Backward(s) {
		if v, ok := layer.Values[name]; ok {
			out = append(out, Origin{Level: layer.Level, Source: layer.Source, Pos: layer.Pos[name], Value: v})
		}
	}
	return out
}

// Unsafe is text that is never expanded as a template, wherever it stands: the
// value of a YAML scalar tagged !unsafe.
type Unsafe string

// Omit as the value of an argument means that the argument was not given. It
// is what the magic variable omit holds.
type Omit struct{}

// String is what omit looks like where it is printed by mistake.
func (Omit) String() string { return "__omit_place_holder__" }
