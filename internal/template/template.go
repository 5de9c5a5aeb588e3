// Package template owns Jinja2 expressions and templates as Ansible writes
// them, over variables that may hold templates themselves.
//
// It never knows where the values come from. A template can reach nothing but
// the values, filters, tests and lookups that this package gives it: no file
// but through a lookup, no method or field of a Go value.
package template

import (
	"context"
	"errors"
	"time"
)

// Scope gives a template its variables. [vars.Stack] is one. A value that is
// itself a Scope is a mapping whose members are looked up when they are used
// and expanded with that Scope: hostvars is made of them.
type Scope interface {
	// Lookup returns the value of name and whether it must never be
	// expanded as a template.
	Lookup(name string) (value any, literal, ok bool)
	// Names returns every name that has a value.
	Names() []string
}

// Options are what an Engine may reach outside of its scopes. A nil func
// means that what needs it is refused.
type Options struct {
	// Dir is where relative paths of lookups start.
	Dir string
	// Secret is told each value that came from a secret source.
	Secret func(value string)
	// Env looks up a variable of the controller's environment.
	Env func(name string) string
	// Run runs a shell command on the controller, for the pipe lookup.
	Run func(ctx context.Context, shell string) (string, error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Engine evaluates templates. It is safe for concurrent use.
type Engine struct{ o Options }

// RenderOptions say how the text of a template file is read.
type RenderOptions struct {
	Name         string // of the file, for errors
	KeepBlockNL  bool   // keep the newline after a block (trim_blocks: no)
	LstripBlocks bool   // strip blanks before a block
	Newline      string // newline_sequence; "" means "\n"

	// Delimiters; "" means the usual {% %} {{ }} {# #}.
	BlockStart, BlockEnd, VariableStart, VariableEnd, CommentStart, CommentEnd string
}

var errNotYet = errors.New("not yet")

// New returns an engine.
func New(o Options) *Engine { return &Engine{o} }

// Expand expands every template within v, deeply.
func (e *Engine) Expand(ctx context.Context, v any, s Scope) (any, error) { return nil, errNotYet }

// Eval evaluates a bare expression.
func (e *Engine) Eval(ctx context.Context, expr string, s Scope) (any, error) { return nil, errNotYet }

// Bool evaluates a condition.
func (e *Engine) Bool(ctx context.Context, expr string, s Scope) (bool, error) {
	return false, errNotYet
}

// Render renders the text of a template file.
func (e *Engine) Render(ctx context.Context, text string, s Scope, o RenderOptions) (string, error) {
	return "", errNotYet
}

// Check returns the mistakes in a text that may hold templates.
func Check(text string) error { return nil }

// CheckExpr returns the mistakes in a bare expression.
func CheckExpr(expr string) error { return nil }

// UndefinedError reports the use of a variable or attribute that is not
// defined.
type UndefinedError struct {
	Name string // as written: "a.b"
	Hint string // "did you mean …?"; may be empty
}

// Error implements error.
func (e *UndefinedError) Error() string {
	s := "'" + e.Name + "' is undefined"
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}
