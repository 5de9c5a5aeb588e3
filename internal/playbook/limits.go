package playbook

import "github.com/torrust/runner/internal/diag"

// How much a playbook may hold, each file and task counted as often as it is
// used: imports and aliases that multiply would fill the memory.
const (
	maxFiles = 5_000
	maxTasks = 100_000
)

func (l *loader) tooManyFiles(at diag.Pos) bool {
	l.imports++
	return l.tooMany(l.imports, maxFiles, "files are imported", at)
}

func (l *loader) tooManyTasks(at diag.Pos) bool {
	l.tasks++
	return l.tooMany(l.tasks, maxTasks, "tasks", at)
}

func (l *loader) tooMany(n, most int, what string, at diag.Pos) bool {
	if n == most+1 {
		l.errs.Addf(at, "more than %d %s", most, what)
	}
	return n > most
}
