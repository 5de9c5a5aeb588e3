package agent

import (
	"context"
	"os"

	"github.com/torrust/runner/internal/sqlitecopy"
)

// Ops returns the operations of the helper.
func Ops() map[string]Op {
	return map[string]Op{
		sqlitecopy.Op: copySQLite,
		"stream": Stream(
			map[string]Source{"file": fileSource, "tar": tarSource, "mysqldump": dumpSource},
			map[string]Filter{"gzip": gzipFilter},
		),
	}
}

// Main is the helper as a program. It returns the exit status.
func Main() int { return Serve(context.Background(), Ops(), os.Stdin, os.Stdout) }
