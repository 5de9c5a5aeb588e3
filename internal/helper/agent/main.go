package agent

import (
	"context"
	"os"

	"github.com/torrust/runner/internal/discover"
	"github.com/torrust/runner/internal/sqlitecopy"
	"github.com/torrust/runner/internal/window"
)

// Ops returns the operations of the helper.
func Ops() map[string]Op {
	return map[string]Op{
		sqlitecopy.Op:  copySQLite,
		discover.Op:    findTracker,
		window.OpHold:  holdWindow,
		window.OpServe: serveWindow,
		"stream": Stream(
			map[string]Source{"file": fileSource, "tar": tarSource, "mysqldump": dumpSource},
			map[string]Filter{"gzip": gzipFilter},
		),
	}
}

// keeperArgument, behind the first argument, makes the program the keeper of a
// maintenance window.
const keeperArgument = "keep-window"

// Main is the helper as a program. It returns the exit status.
func Main() int {
	if len(os.Args) > 2 && os.Args[2] == keeperArgument {
		window.Keep(os.Stdin, os.Stdout)
		return 0
	}
	return Serve(context.Background(), Ops(), os.Stdin, os.Stdout)
}
