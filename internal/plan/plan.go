// Package plan owns what a run will do: plays with the hosts that they were
// resolved to, and tasks with all that can be known before a connection is
// made. Whatever is wrong in a playbook is found while a plan is built.
//
// It never knows connections, the clock, or how a task does its work. A Plan
// is immutable once built, and safe for concurrent use.
package plan

import (
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/vars"
)

// Plan is what a run will do.
type Plan struct {
	// Playbooks is every file that was read for the playbooks, for manifests.
	Playbooks []File
	Plays     []*Play
	// Hosts is every host of the inventory, by name, whether or not a play
	// is about it: hostvars reaches them all.
	Hosts map[string]*Host
	// Groups is the magic variable groups: members by group name.
	Groups map[string][]string
}

// Host is a host of the inventory with its variables.
type Host struct {
	Name   string
	Groups []string   // sorted, without "all"
	Vars   vars.Stack // of the inventory, group_vars and host_vars
}

// Play is one play.
type Play struct {
	Name    string // the pattern if it has no name
	Pos     diag.Pos
	Dir     string // of the playbook: relative files are looked for there
	Pattern string
	// Patterns is hosts: as it was written, item by item.
	Patterns []string
	Playbook string   // the file that was named, even if the play was imported
	Tags     []string // its own; its tasks have them, too
	first    bool     // of its playbook
	// Hosts are those that the pattern and the limit leave, in the order
	// of the play. It may be empty: the play is skipped.
	Hosts []*Host

	Strategy          string   // "linear", "free" or "host_pinned"
	Serial            []Batch  // empty: all hosts at once
	MaxFailPercentage *float64 // nil: not given
	ForceHandlers     bool

	Vars      vars.Layer         // vars: of the play
	VarsFiles []*strictyaml.Node // each a text, or a list whose first existing file counts; may hold templates
	Prompts   []Prompt

	// Sections are pre_tasks, then roles and tasks, then post_tasks. After
	// each of them the notified handlers run.
	Sections [][]Step
	Handlers []*Task // in the order of their definition
}

// Batch is one entry of serial: a number of hosts, or a percentage of all.
type Batch struct {
	Count   int
	Percent float64 // used if Count is 0
}

// Step is a *Task or a *Block.
type Step interface{ step() }

// Block is steps with what to do if they fail, and what to do in any case.
// What a block says of conditions, variables and keywords is part of its
// tasks already.
type Block struct {
	Name                 string
	Pos                  diag.Pos
	Body, Rescue, Always []Step
	// Window is around Body; nil: none. Rescue and Always are outside.
	Window *Window
}

// Window is a maintenance window: a task before the body of a block, and one
// behind it that runs in any case.
type Window struct{ Open, Close *Task }

// Task is one use of a task kind.
type Task struct {
	ID   string // unique within the plan
	Name string // may hold templates; the kind if the task has no name
	// unnamed says that Name is only the kind: listings leave out the role.
	unnamed bool
	Pos     diag.Pos
	Kind    string // "command", "pipe", "meta", "include_tasks", "include_role"
	Role    string // the role that it stands in; empty: none
	Dir     string // of the playbook or role that it stands in, for relative files
	Work    Work
	Tags    []string

	// When are the conditions of its blocks, outermost first, and its own.
	When []Expr
	// Vars are the layers of its blocks, outermost first, and its own.
	Vars []vars.Layer
	// Keywords are its own or those that it inherits.
	Keywords Keywords

	Loop          *Loop // nil without one
	Retry         *Retry
	ChangedWhen   []Expr
	FailedWhen    []Expr
	Register      string
	Notify        []*strictyaml.Node // texts that may hold templates
	Listen        []string           // of a handler
	DelegateTo    *strictyaml.Node
	DelegateFacts *strictyaml.Node
}

// The parts that a plan takes over from the playbook as they are.
type (
	Expr     = playbook.Expr
	Loop     = playbook.Loop
	Retry    = playbook.Retry
	Keywords = playbook.Keywords
	Prompt   = playbook.Prompt
	File     = playbook.File
)

// Title returns the name as people see it: with the role in front.
func (t *Task) Title() string {
	if include, ok := t.Work.(Include); ok && t.unnamed && t.Kind == "include_role" {
		return t.Name + " : " + include.What
	}
	if t.Role != "" {
		return t.Role + " : " + t.Name
	}
	return t.Name
}

// Work is what a task does: a Module, a Pipe, a Meta or an Include.
type Work interface{ work() }

// Module is a task kind with its arguments.
type Module struct {
	Spec tasks.Spec
	Args *strictyaml.Node // nil: none
	At   diag.Pos         // where the kind is named
}

// Pipe is stages joined by byte streams.
type Pipe struct{ Stages []Stage }

// Stage is one element of a Pipe.
type Stage struct {
	Module
	On string // "host", "controller"; empty: as the pipe sees fit
}

// Include is include_tasks or include_role. Its Steps take the place of the
// task on the hosts for which its conditions hold, once or once for each item
// of its loop, with the variable of the loop. What the task says of
// conditions and keywords is its own, and not theirs; its vars are theirs.
type Include struct {
	What  string // the file or the role
	Steps []Step
}

// Meta is an order to the executor.
type Meta struct {
	Action string // "flush_handlers", "end_play", "end_host", "end_batch", "noop", "clear_host_errors", "clear_facts", "reset_connection"
}

func (*Task) step()  {}
func (*Block) step() {}

func (Module) work()  {}
func (Pipe) work()    {}
func (Meta) work()    {}
func (Include) work() {}
