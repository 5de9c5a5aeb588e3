// Package diag owns positions in files that people write, the errors found
// there, and how such an error is shown: file:line:col, the line, a caret at
// the culprit, and a hint.
//
// It never knows what the files mean.
package diag

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file. Line and Col count from 1, in bytes; the zero
// Pos means "nowhere in particular".
type Pos struct {
	File      string
	Line, Col int
}

// String returns file:line:col, leaving out what is not known.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Error is one mistake in a file that a person can mend.
type Error struct {
	Pos  Pos
	Msg  string // lower case, no period
	Hint string // what to type instead; may be empty
}

// Errorf returns an Error at pos.
func Errorf(pos Pos, format string, args ...any) *Error {
	return &Error{Pos: pos, Msg: fmt.Sprintf(format, args...)}
}

// WithHint returns e with its hint set. A nil or empty hint changes nothing.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error implements error.
func (e *Error) Error() string {
	s := e.Msg
	if p := e.Pos.String(); p != "" {
		s = p + ": " + s
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// List collects every mistake of a document, so that all are shown at once.
type List []*Error

// Add appends a mistake.
func (l *List) Add(e *Error) { *l = append(*l, e) }

// Addf appends a mistake at pos and returns it, so that a hint can be added.
func (l *List) Addf(pos Pos, format string, args ...any) *Error {
	e := Errorf(pos, format, args...)
	*l = append(*l, e)
	return e
}

// AddErr appends what err holds: the mistakes of a List or of joined errors
// one by one, anything else as a mistake at pos.
func (l *List) AddErr(pos Pos, err error) {
	if err == nil {
		return
	}
	if found := All(err); len(found) > 0 {
		*l = append(*l, found...)
		return
	}
	l.Addf(pos, "%v", err)
}

// Err returns l as an error, nil if it is empty. The mistakes stand in the
// order of their positions, file by file in the order of appearance.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	files := map[string]int{}
	for _, e := range l {
		if _, ok := files[e.Pos.File]; !ok {
			files[e.Pos.File] = len(files)
		}
	}
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b *Error) int {
		if a.Pos.File != b.Pos.File {
			return files[a.Pos.File] - files[b.Pos.File]
		}
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Col - b.Pos.Col
	})
	return sorted
}

// Error implements error: one mistake a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is and errors.As look at each mistake.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// All returns every Error within err: its own, those of a List, and those of
// errors joined into it. It is empty if there are none.
func All(err error) []*Error {
	if err == nil {
		return nil
	}
	if l, ok := err.(List); ok {
		return l
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Error
		for _, e := range joined.Unwrap() {
			all = append(all, All(e)...)
		}
		return all
	}
	var e *Error
	if errors.As(err, &e) {
		return []*Error{e}
	}
	var l List
	if errors.As(err, &l) {
		return l
	}
	return nil
}
