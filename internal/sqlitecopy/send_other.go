//go:build !linux

package sqlitecopy

import (
	"context"
	"errors"
	"io"
)

// Send is for Linux: it needs locks that belong to an open file.
func Send(context.Context, Params, io.Writer) (Trailer, error) {
	return Trailer{}, errors.New("SQLite databases can be copied on Linux only")
}
