package dockercompose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/hostfile"
)

// container is what docker compose ps says of a service.
type container struct {
	ID, Name, Service, State, Health, Image string
	ExitCode                                int
}

func (c container) runs() bool { return c.State == "running" }

// rests tells whether the container does nothing. One that is paused does not
// rest: its process holds its files.
func (c container) rests() bool {
	return c.State == "exited" || c.State == "created" || c.State == "dead"
}

// compose is one project.
type compose struct {
	h    tasks.Host
	dir  string
	argv []string // docker compose with its options
}

func (t *task) compose(ctx context.Context, h tasks.Host) (compose, error) {
	dir, err := hostfile.Home(ctx, h, t.Src)
	c := compose{h: h, dir: dir, argv: []string{"docker", "compose"}}
	for _, f := range t.Files {
		c.argv = append(c.argv, "-f", f)
	}
	if t.Project != "" {
		c.argv = append(c.argv, "-p", t.Project)
	}
	return c, err
}

// run runs docker compose. It never has a terminal or an input.
func (c compose) run(ctx context.Context, out io.Writer, args ...string) error {
	err := c.h.Conn.Run(ctx, conn.Cmd{Argv: append(slices.Clone(c.argv), args...), Dir: c.dir, Stdout: out})
	if err != nil {
		return fmt.Errorf("docker compose %s in %s: %w", strings.Join(args, " "), c.dir, err)
	}
	return nil
}

func (c compose) do(ctx context.Context, order, services []string) error {
	return c.run(ctx, nil, append(slices.Clone(order), services...)...)
}

// list returns the containers of the services, or of all. A service that has
// none is an error.
func (c compose) list(ctx context.Context, services []string) ([]container, error) {
	var out bytes.Buffer
	if err := c.run(ctx, &out, "ps", "-a", "--format", "json"); err != nil {
		return nil, err
	}
	all, err := parse(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("docker compose ps in %s: %w", c.dir, err)
	}
	if len(services) == 0 {
		if len(all) == 0 {
			return nil, fmt.Errorf("the project in %s has no container; docker compose up makes them", c.dir)
		}
		return all, nil
	}
	var found []container
	for _, s := range services {
		n := len(found)
		for _, container := range all {
			if container.Service == s {
				found = append(found, container)
			}
		}
		if len(found) == n {
			return nil, fmt.Errorf("service %s in %s has no container; docker compose up makes it", s, c.dir)
		}
	}
	return found, nil
}

// parse reads one JSON object a line, as compose 2.21 and later prints them,
// or a list of them, as before.
func parse(out []byte) ([]container, error) {
	out = bytes.TrimSpace(out)
	if bytes.HasPrefix(out, []byte("[")) {
		var list []container
		err := json.Unmarshal(out, &list)
		return list, err
	}
	var list []container
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var c container
		if err := dec.Decode(&c); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
}
