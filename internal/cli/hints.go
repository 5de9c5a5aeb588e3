package cli

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
)

// hint returns what to do about err, line by line; nothing if we do not know.
func hint(err error) []string {
	var usage *usageError
	if errors.As(err, &usage) && usage.hint != "" {
		return strings.Split(usage.hint, "\n")
	}
	var dial *conn.DialError
	if errors.As(err, &dial) && dial.Hint != "" {
		return strings.Split(dial.Hint, "\n")
	}
	for _, h := range hints {
		if h.about(err) {
			return h.lines
		}
	}
	return nil
}

// hints are tried in this order.
var hints = []struct {
	about func(error) bool
	lines []string
}{
	{as[*catalog.SpaceError](), []string{"make room there, or choose another folder with --store"}},
	{is(syscall.ENOSPC), []string{"make room on this disk, or choose another folder"}},
	{is(syscall.EADDRINUSE), []string{"another program uses that port: choose another one, or leave --port out to get a free one"}},
	{is(syscall.EROFS), []string{"this file system is read-only: choose another folder"}},
	{is(syscall.ENOTDIR), []string{"a part of that path is a file: choose another folder"}},
	{is(fs.ErrPermission), []string{"you may not do that there: choose another folder, or mend its permissions"}},
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func as[T error]() func(error) bool {
	return func(err error) bool {
		_, ok := errors.AsType[T](err)
		return ok
	}
}
