// Package ends owns the two ends of a pipe that several task kinds share: a file
// of the host as the source, a name in the backup set as the sink.
//
// It never knows what is between them.
package ends

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// File is a source that reads one file of the host as it is.
type File struct {
	Path string
	size int64
}

var (
	_ pipe.HostSource = (*File)(nil)
	_ pipe.Looker     = (*File)(nil)
	_ pipe.Estimator  = (*File)(nil)
	_ tasks.Task      = (*File)(nil)
)

// Params are the parameters of the helper's source "file".
type Params struct {
	Path string `json:"path"`
}

// Look implements pipe.Looker. A missing file matches fs.ErrNotExist.
func (f *File) Look(ctx context.Context, h tasks.Host) error {
	info, err := h.Conn.Stat(ctx, f.Path)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return fmt.Errorf("%s is a folder; config_tar brings folders home", f.Path)
	case mode.IsRegular():
		f.size = info.Size()
	case mode.Type() != fs.ModeSymlink: // what a link points at, the helper will see
		return fmt.Errorf("%s is not a regular file", f.Path)
	}
	return nil
}

// HostStage implements pipe.HostSource.
func (f *File) HostStage(ctx context.Context, h tasks.Host) (helper.Stage, error) {
	return helper.Stage{Name: "file", Params: Params{Path: f.Path}}, f.Look(ctx, h)
}

// Estimate implements pipe.Estimator.
func (f *File) Estimate() int64 { return f.size }

// Accept implements pipe.HostSource.
func (f *File) Accept(context.Context, tasks.Host, json.RawMessage, helper.Measure) (pipe.Outcome, error) {
	return pipe.Outcome{Method: "stream"}, nil
}

// Origin implements pipe.HostSource.
func (f *File) Origin() string { return f.Path }

// Run makes a File a task, as every stage must be. It stands only in pipes.
func (f *File) Run(context.Context, tasks.Host) (tasks.Result, error) { return onlyInPipes() }

func onlyInPipes() (tasks.Result, error) {
	return tasks.Result{}, errors.New("one end of a pipe is no task of its own")
}

// Artifact is a sink: the name of an artifact.
type Artifact string

var (
	_ pipe.Sink  = Artifact("")
	_ tasks.Task = Artifact("")
)

// ArtifactName implements pipe.Sink.
func (a Artifact) ArtifactName() (string, error) {
	name := strings.TrimPrefix(string(a), "./")
	return name, catalog.CheckName(name)
}

// Run makes an Artifact a task, as every stage must be.
func (a Artifact) Run(context.Context, tasks.Host) (tasks.Result, error) { return onlyInPipes() }
