package ends

import (
	"context"
	"strings"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/compress"
)

// Alone is a source that stands alone: the pipe of it, of gzip if the name of
// the artifact ends as gzip's files do, and of fetch.
type Alone struct {
	Kind   string
	Source tasks.Task
	Dest   string // the name of the artifact
}

func (a Alone) pipe() (tasks.Task, error) {
	stages := []pipe.Stage{{Kind: a.Kind, Task: a.Source}}
	if strings.HasSuffix(a.Dest, ".gz") || strings.HasSuffix(a.Dest, ".tgz") {
		stages = append(stages, pipe.Stage{Kind: "gzip", Task: compress.Gzip{Level: compress.DefaultLevel}})
	}
	return pipe.New(append(stages, pipe.Stage{Kind: "fetch", Task: Artifact(a.Dest)}))
}

// Run does what tasks.Task says.
func (a Alone) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	p, err := a.pipe()
	if err != nil {
		return tasks.Result{}, err
	}
	return p.Run(ctx, h)
}

// Check does what tasks.Checker says.
func (a Alone) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	p, err := a.pipe()
	if err != nil {
		return tasks.Result{}, err
	}
	return p.(tasks.Checker).Check(ctx, h)
}
