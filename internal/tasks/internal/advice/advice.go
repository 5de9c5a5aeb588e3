// Package advice owns joining a refusal of the host with what a person can do
// about it.
//
// It never knows which refusals there are.
package advice

import (
	"errors"

	"github.com/torrust/runner/internal/helper"
)

// ByCode says what to do about a refusal, by its code.
type ByCode map[string]string

// Explain returns err with its advice, or err alone if there is none for it.
func (a ByCode) Explain(err error) error { return a.With(err, err) }

// With returns err with the advice for another error, which it may tell of
// without wrapping it.
func (a ByCode) With(err, about error) error {
	told, ok := errors.AsType[*helper.Error](about)
	if !ok || a[told.Code] == "" {
		return err
	}
	return &advised{err, a[told.Code]}
}

type advised struct {
	error
	hint string
}

// Unwrap returns the error without its advice.
func (a *advised) Unwrap() error { return a.error }

// Hint says what to do about it.
func (a *advised) Hint() string { return a.hint }
