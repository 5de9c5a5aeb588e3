// Package template owns Jinja2 expressions and templates as Ansible writes
// them, over variables that may hold templates themselves.
//
// It never knows where the values come from. A template can reach nothing but
// the values, filters, tests and lookups that this package gives it: no file
// but through a lookup, no method or field of a Go value.
package template

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/torrust/runner/internal/diag"
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
type Engine struct {
	o       Options
	filters map[string]filterFunc
	tests   map[string]testFunc

	mu    sync.Mutex
	texts map[string][]stmt // parsed before
	exprs map[string]expr
}

// RenderOptions say how the text of a template file is read.
type RenderOptions struct {
	Name         string // of the file, for errors
	KeepBlockNL  bool   // keep the newline after a block (trim_blocks: no)
	LstripBlocks bool   // strip blanks before a block
	Newline      string // newline_sequence; "" means "\n"

	// Delimiters; "" means the usual {% %} {{ }} {# #}.
	BlockStart, BlockEnd, VariableStart, VariableEnd, CommentStart, CommentEnd string
}

// New returns an engine.
func New(o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Engine{o: o, filters: filters(), tests: tests(), texts: map[string][]stmt{}, exprs: map[string]expr{}}
}

func (e *Engine) run(ctx context.Context, s Scope) *run {
	return &run{ctx: ctx, e: e, scope: s, steps: new(int)}
}

// Expand expands every template within v, deeply. A text that is one
// expression has the value of that expression.
func (e *Engine) Expand(ctx context.Context, v any, s Scope) (any, error) {
	return e.run(ctx, s).expand(v)
}

// Eval evaluates a bare expression.
func (e *Engine) Eval(ctx context.Context, expr string, s Scope) (any, error) {
	x, err := e.parsedExpr(expr)
	if err != nil {
		return nil, positioned(expr, err)
	}
	v, err := e.run(ctx, s).value(x)
	return retyped(x, v), err
}

// Bool evaluates a condition.
func (e *Engine) Bool(ctx context.Context, expr string, s Scope) (bool, error) {
	v, err := e.Eval(ctx, expr, s)
	if err != nil {
		return false, err
	}
	return truthy(v), nil
}

// Render renders the text of a template file.
func (e *Engine) Render(ctx context.Context, text string, s Scope, o RenderOptions) (string, error) {
	d := usual
	d.trimBlocks, d.lstripBlocks = !o.KeepBlockNL, o.LstripBlocks
	for _, f := range []struct {
		dst   *string
		given string
	}{
		{&d.blockStart, o.BlockStart}, {&d.blockEnd, o.BlockEnd}, {&d.varStart, o.VariableStart}, {&d.varEnd, o.VariableEnd},
		{&d.commentStart, o.CommentStart}, {&d.commentEnd, o.CommentEnd},
	} {
		*f.dst = cmp.Or(f.given, *f.dst)
	}
	body, err := parseText(text, d)
	if err != nil {
		if at, ok := errors.AsType[*diag.Error](positioned(text, err)); ok {
			at.Pos.File = o.Name
			return "", at
		}
		return "", err
	}
	var out output
	if err := e.run(ctx, s).render(body, &out); err != nil {
		return "", err
	}
	result := out.String()
	if o.Newline != "" && o.Newline != "\n" {
		result = strings.ReplaceAll(result, "\n", o.Newline)
	}
	return result, nil
}

// maxCached bounds how many texts an engine remembers.
const maxCached = 4096

func (e *Engine) parsed(text string) ([]stmt, error) {
	return cached(e, e.texts, text, func() ([]stmt, error) {
		return parseText(text, usual)
	})
}

func (e *Engine) parsedExpr(text string) (expr, error) {
	return cached(e, e.exprs, text, func() (expr, error) {
		return parseExpr(text, 0, len(text))
	})
}

func cached[T any](e *Engine, cache map[string]T, text string, parse func() (T, error)) (T, error) {
	e.mu.Lock()
	v, ok := cache[text]
	e.mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := parse()
	if err != nil {
		return v, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(cache) >= maxCached {
		clear(cache)
	}
	cache[text] = v
	return v, nil
}

// Check returns the mistakes in a text that may hold templates, as a
// *diag.Error whose line and column count from the start of the text.
func Check(text string) error {
	if !strings.Contains(text, "{{") && !strings.Contains(text, "{%") && !strings.Contains(text, "{#") {
		return nil
	}
	_, err := parseText(text, usual)
	return positioned(text, err)
}

// CheckExpr returns the mistakes in a bare expression, as Check does.
func CheckExpr(expr string) error {
	_, err := parseExpr(expr, 0, len(expr))
	return positioned(expr, err)
}

// positioned turns the offset of a mistake into line and column.
func positioned(text string, err error) error {
	m, ok := errors.AsType[*syntaxError](err)
	if !ok {
		return err
	}
	at := min(m.at, len(text))
	line := 1 + strings.Count(text[:at], "\n")
	col := at - strings.LastIndexByte(text[:at], '\n')
	e := diag.Errorf(diag.Pos{Line: line, Col: col}, "%s", m.msg)
	e.Hint = m.hint
	return e
}

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
