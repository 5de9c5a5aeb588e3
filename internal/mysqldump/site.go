package mysqldump

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/torrust/runner/internal/container"
)

// site is where the client runs: in a container, or on the host itself.
type site struct {
	argv    []string // what a command is put behind; empty on the host
	name    string   // of the container
	image   string
	imageID string
	env     map[string]string // of the container, as of its creation
	folder  string            // of the compose project
}

// locate finds the container and refuses one in which nothing can run.
func locate(ctx context.Context, p Params) (site, error) {
	if p.Container == (container.Query{}) {
		return site{}, nil
	}
	engine, err := container.Open(p.Engine)
	if err != nil {
		return site{}, engineError(err)
	}
	c, err := engine.Find(ctx, p.Container)
	if err != nil {
		return site{}, engineError(err)
	}
	switch c.State {
	case "running":
	case "paused":
		return site{}, fail(CodeContainer, "the container %s is paused: a command in it would wait until somebody resumes it", c.Name)
	default:
		return site{}, fail(CodeContainer, "the container %s does not run, it is %s", c.Name, c.State)
	}
	return site{
		argv: engine.Exec(c.ID), name: c.Name, image: c.Image, imageID: c.ImageID, env: c.Env, folder: c.Folder(),
	}, nil
}

// engineError gives a failure of the engine its code.
func engineError(err error) error {
	failed, ok := errors.AsType[*container.Error](err)
	if !ok {
		return err
	}
	code := CodeContainer
	switch failed.Kind {
	case container.NoEngine, container.Down:
		code = CodeNoEngine
	case container.Forbidden:
		code = CodeForbidden
	}
	return &Error{code, failed.Msg}
}

// command returns how argv is run there.
func (s site) command(argv ...string) []string {
	return append(append([]string{}, s.argv...), argv...)
}

// envFile returns the environment file of the compose project, empty if there
// is none.
func (s site) envFile() string {
	if s.folder == "" {
		return ""
	}
	path := filepath.Join(s.folder, ".env")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return ""
	}
	return path
}
