// Package tasks owns what a task kind is: its declaration, its parameters,
// and all that it may touch while it runs. The kinds themselves are
// subpackages; package all lists them.
//
// It never knows playbooks, inventories, or the executor.
package tasks

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/template"
)

// Task is one piece of work with its parameters filled in.
type Task interface {
	// Run makes host match the parameters. It must be safe to run twice,
	// and must report Changed only for a change it made. The Result counts
	// even if there is an error: it is what register gets.
	Run(ctx context.Context, host Host) (Result, error)
}

// Checker may be implemented by a Task which can tell what Run would do
// without doing it. A Task without it is skipped in check mode.
type Checker interface {
	Check(ctx context.Context, host Host) (Result, error)
}

// Validator may be implemented by a Task whose parameters can be wrong in
// ways their types cannot say. It must not touch the network or a disk.
// It is called when the values are known; a literal that is wrong is found
// when the playbook is read.
type Validator interface{ Validate() error }

// Host is all a task may touch.
type Host struct {
	Name string
	// Conn acts as the user that the task runs as, with the task's
	// environment.
	Conn conn.Conn
	// Helper acts as the same user.
	Helper helper.Caller
	// Set returns the backup set of the host in this run, and starts it
	// when it is called first.
	Set func() (*catalog.Set, error)
	// Find returns the path of a file on the controller that the playbook
	// names: relative paths are looked for in the folder kind ("files",
	// "templates") beside the playbook or role, then beside the playbook.
	Find func(kind, name string) (string, error)
	// Expand expands a template with the variables of the task.
	Expand func(text string) (string, error)
	// Render renders the text of a template file with the variables of the
	// task. Without it the kind template fails.
	Render func(text string, o template.RenderOptions) (string, error)
	// Stdout and Stderr take what remote commands write, as it comes.
	Stdout, Stderr io.Writer
	// Progress is called with how far a long step is; never nil.
	Progress func(Progress)
	// Kept is called for each artifact that has been published in Set;
	// never nil.
	Kept func(catalog.Artifact)
	// Warn is called with what the operator should know; never nil.
	Warn func(text string)
	// Leave keeps c on the host under a name for a later task, which gets it
	// from Take, once. What nobody takes is closed at the end of the run.
	Leave func(name string, c io.Closer)
	Take  func(name string) io.Closer // nil: nothing was left
	// Diff asks for Result.Diff.
	Diff bool
	// Verbosity is how many times -v was given.
	Verbosity int
}

// Progress is how far a long step is.
type Progress struct {
	Phase string // "copying", "checking", …
	Done  int64  // bytes
	Total int64  // bytes; 0 if not known
	Wire  int64  // bytes that crossed the network
}

// Result is what a task did.
type Result struct {
	Changed bool
	// Skipped says that there was nothing to do by the task's own
	// parameters (creates, removes); Note says why.
	Skipped bool
	Note    string         // one line for people
	Diff    string         // unified, if asked for
	Outputs map[string]any // for register; JSON-like values
	Facts   map[string]any // variables to set on the host, as set_fact does
}

// Spec declares a kind of task.
type Spec struct {
	Name    string   // as in a playbook: "sqlite_copy"
	Aliases []string // other names, such as "mariadb_dump"
	Summary string   // one sentence
	// FreeForm names the parameter that takes the text of the short form
	// `command: ls -l`. Without it a kind takes only key=value there.
	FreeForm string
	// AnyArgs allows keys that are no parameters; they all go to the field
	// tagged arg:",rest" (set_fact).
	AnyArgs bool
	// New returns a pointer to a struct with zero parameters. Its fields
	// declare them; see Params.
	New func() Task
	// Doc is Markdown for the reference page, without the parameters:
	// what it does, what it returns, an example.
	Doc string

	inPipe bool
}

// Registry is the set of known kinds. It is immutable once made.
type Registry struct {
	byName map[string]Spec
	specs  []Spec
}

// NewRegistry makes a registry. It panics if a name is taken twice or a
// declaration is malformed: both are mistakes in our own code.
func NewRegistry(specs ...Spec) *Registry {
	r := &Registry{byName: map[string]Spec{}, specs: slices.Clone(specs)}
	for _, s := range specs {
		s.params() // panics on a malformed declaration
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			if _, taken := r.byName[name]; taken {
				panic(fmt.Sprintf("task kind %q is declared twice", name))
			}
			r.byName[name] = s
		}
	}
	slices.SortFunc(r.specs, func(a, b Spec) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return r
}

// Lookup returns the kind of that name or alias.
func (r *Registry) Lookup(name string) (Spec, bool) {
	s, ok := r.byName[name]
	return s, ok
}

// All returns the kinds sorted by name.
func (r *Registry) All() []Spec { return slices.Clone(r.specs) }

// Suggest returns the known name that name was most likely meant to be.
func (r *Registry) Suggest(name string) string {
	return diag.Suggest(name, slices.Sorted(maps.Keys(r.byName)))
}
