// Package all owns the list of the task kinds.
//
// It never knows what they do.
package all

import (
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/assert"
	"github.com/torrust/runner/internal/tasks/checksum"
	"github.com/torrust/runner/internal/tasks/command"
	"github.com/torrust/runner/internal/tasks/configtar"
	"github.com/torrust/runner/internal/tasks/copy"
	"github.com/torrust/runner/internal/tasks/debug"
	"github.com/torrust/runner/internal/tasks/dockercompose"
	"github.com/torrust/runner/internal/tasks/fail"
	"github.com/torrust/runner/internal/tasks/fetch"
	"github.com/torrust/runner/internal/tasks/file"
	"github.com/torrust/runner/internal/tasks/find"
	"github.com/torrust/runner/internal/tasks/gzip"
	"github.com/torrust/runner/internal/tasks/lineinfile"
	"github.com/torrust/runner/internal/tasks/mysqldump"
	"github.com/torrust/runner/internal/tasks/pause"
	"github.com/torrust/runner/internal/tasks/raw"
	"github.com/torrust/runner/internal/tasks/script"
	"github.com/torrust/runner/internal/tasks/setfact"
	"github.com/torrust/runner/internal/tasks/shell"
	"github.com/torrust/runner/internal/tasks/slurp"
	"github.com/torrust/runner/internal/tasks/sqlite"
	"github.com/torrust/runner/internal/tasks/stat"
	"github.com/torrust/runner/internal/tasks/systemd"
	"github.com/torrust/runner/internal/tasks/tempfile"
	"github.com/torrust/runner/internal/tasks/template"
	"github.com/torrust/runner/internal/tasks/trackerfacts"
	"github.com/torrust/runner/internal/tasks/verifysize"
	"github.com/torrust/runner/internal/tasks/waitfor"
	"github.com/torrust/runner/internal/tasks/zstd"
)

// Registry returns every kind that a playbook may use.
func Registry() *tasks.Registry {
	return tasks.NewRegistry(
		assert.Spec(),
		checksum.Spec(),
		command.Spec(),
		configtar.Spec(),
		copy.Spec(),
		debug.Spec(),
		dockercompose.Spec(),
		fail.Spec(),
		fetch.Spec(),
		file.Spec(),
		find.Spec(),
		gzip.Spec(),
		lineinfile.Spec(),
		mysqldump.Spec(),
		pause.Spec(),
		raw.Spec(),
		script.Spec(),
		setfact.Spec(),
		shell.Spec(),
		slurp.Spec(),
		sqlite.Spec(),
		stat.Spec(),
		systemd.Spec(),
		tempfile.Spec(),
		template.Spec(),
		trackerfacts.Spec(),
		verifysize.Spec(),
		waitfor.Spec(),
		zstd.Spec(),
	)
}
