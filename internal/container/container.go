// Package container owns how the containers of this machine are found, looked
// at, stopped and started: through the command line of Docker or Podman, since
// that is what operators have rights to. It runs on the host, in the helper.
//
// It never creates, changes or removes a container, and it never knows what
// runs in one.
package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Engine is a command line: "docker" or "podman".
type Engine struct{ program string }

// Open returns the engine of that name; "" and "auto" mean the first of docker
// and podman that is installed.
func Open(name string) (Engine, error) {
	candidates := []string{name}
	if name == "" || name == "auto" {
		candidates = []string{"docker", "podman"}
	}
	for _, c := range candidates {
		if _, err := exec.LookPath(c); err == nil {
			return Engine{program: c}, nil
		}
	}
	return Engine{}, &Error{Kind: NoEngine, Msg: "the host has no " + strings.Join(candidates, " and no ")}
}

// Name returns the program, as Open takes it.
func (e Engine) Name() string { return e.program }

// Kind is a way in which an engine fails.
type Kind int

// The kinds of failure.
const (
	Other     Kind = iota
	NoEngine       // neither Docker nor Podman is installed
	Forbidden      // the user may not talk to the engine
	Down           // the engine does not run
	Missing        // there is no such container
	Ambiguous      // there are several
)

// Error is a failure of an engine.
type Error struct {
	Kind Kind
	Msg  string
}

// Error implements error.
func (e *Error) Error() string { return e.Msg }

// KindOf returns the kind of a failure of an engine, Other for any other error.
func KindOf(err error) Kind {
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Kind
	}
	return Other
}

// patience is how long the engine may take for an answer. Stopping has its own.
const patience = 30 * time.Second

// output runs the engine and returns what it prints.
func (e Engine) output(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s %s gives no answer within %s", e.program, args[0], patience))
	defer cancel()
	return e.run(ctx, args...)
}

func (e Engine) run(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, e.program, args...)
	cmd.WaitDelay = time.Second // a child that lives on must not keep us
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil && err != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, e.explain(args[0], stderr.String(), err)
	}
	return stdout.Bytes(), nil
}

// explain reads what the engine says about a failure.
func (e Engine) explain(verb, stderr string, err error) error {
	said := strings.TrimSpace(stderr)
	if said == "" {
		said = err.Error()
	}
	lower := strings.ToLower(said)
	kind := Other
	switch {
	case strings.Contains(lower, "permission denied"):
		kind = Forbidden
	case strings.Contains(lower, "cannot connect to the docker daemon"), strings.Contains(lower, "is the docker daemon running"):
		kind = Down
	case strings.Contains(lower, "no such container"), strings.Contains(lower, "no such object"):
		kind = Missing
	}
	return &Error{Kind: kind, Msg: fmt.Sprintf("%s %s: %s", e.program, verb, said)}
}

// Container is what an engine says of one.
type Container struct {
	ID      string // whole
	Name    string
	Image   string            // as it was named: "mysql:8.4"
	ImageID string            // "sha256:…"
	State   string            // "running", "paused", "exited", "created", …
	Health  string            // "healthy", "unhealthy", "starting"; empty without a health check
	Started time.Time         // zero if it never ran
	Env     map[string]string // as of its creation
	Labels  map[string]string
	Mounts  []Mount
}

// Mount is a folder or a file of this machine in a container. That of a volume
// is where the engine keeps it.
type Mount struct{ Source, Target string }

// Labels that docker compose and podman-compose put on a container.
const (
	labelService = "com.docker.compose.service"
	labelProject = "com.docker.compose.project"
	labelFolder  = "com.docker.compose.project.working_dir"
)

// Folder returns the folder of the compose project, empty if there is none.
func (c Container) Folder() string { return c.Labels[labelFolder] }

// Service returns the name of the compose service, empty if there is none.
func (c Container) Service() string { return c.Labels[labelService] }

// inspected is the part of `docker inspect` that is read here. Podman prints
// the same, with its health check under another name up to version 3.
type inspected struct {
	ID    string `json:"Id"`
	Name  string
	Image string
	State struct {
		Status      string
		StartedAt   time.Time
		Health      *struct{ Status string }
		Healthcheck *struct{ Status string }
	}
	Mounts []struct{ Source, Destination string }
	Config struct {
		Image  string
		Env    []string
		Labels map[string]string
	}
}

// Inspect returns the containers of these names or IDs, in the same order.
func (e Engine) Inspect(ctx context.Context, names ...string) ([]Container, error) {
	if len(names) == 0 {
		return nil, nil
	}
	for _, n := range names {
		if n == "" || strings.HasPrefix(n, "-") {
			return nil, &Error{Kind: Missing, Msg: fmt.Sprintf("%q cannot be the name of a container", n)}
		}
	}
	out, err := e.output(ctx, append([]string{"inspect", "--type", "container"}, names...)...)
	if err != nil {
		return nil, err
	}
	var all []inspected
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("%s inspect: %w", e.program, err)
	}
	if len(all) != len(names) {
		return nil, fmt.Errorf("%s inspect: %d answers for %d containers", e.program, len(all), len(names))
	}
	list := make([]Container, len(all))
	for i, c := range all {
		list[i] = Container{
			ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"), Image: c.Config.Image, ImageID: c.Image, State: c.State.Status,
			Started: c.State.StartedAt, Env: map[string]string{}, Labels: c.Config.Labels,
		}
		for _, health := range []*struct{ Status string }{c.State.Health, c.State.Healthcheck} {
			if health != nil && health.Status != "none" {
				list[i].Health = health.Status
			}
		}
		for _, m := range c.Mounts {
			list[i].Mounts = append(list[i].Mounts, Mount{m.Source, m.Destination})
		}
		for _, line := range c.Config.Env {
			name, value, _ := strings.Cut(line, "=")
			list[i].Env[name] = value
		}
	}
	return list, nil
}

// Project returns the containers of the compose project in a folder, whatever
// their state.
func (e Engine) Project(ctx context.Context, folder string) ([]Container, error) {
	return e.labelled(ctx, labelFolder+"="+folder)
}

// OfService returns the containers of every compose service of that name.
func (e Engine) OfService(ctx context.Context, name string) ([]Container, error) {
	return e.labelled(ctx, labelService+"="+name)
}

func (e Engine) labelled(ctx context.Context, labels ...string) ([]Container, error) {
	args := []string{"ps", "--all", "--no-trunc", "--quiet"}
	for _, l := range labels {
		args = append(args, "--filter", "label="+l)
	}
	out, err := e.output(ctx, args...)
	if err != nil {
		return nil, err
	}
	return e.Inspect(ctx, strings.Fields(string(out))...)
}

// Digests returns the digests under which registries know images, by the IDs of
// the images. One that was built here has none.
func (e Engine) Digests(ctx context.Context, imageIDs ...string) (map[string][]string, error) {
	if len(imageIDs) == 0 {
		return nil, nil
	}
	out, err := e.output(ctx, append([]string{"image", "inspect"}, imageIDs...)...)
	if err != nil {
		return nil, err
	}
	var all []struct {
		ID          string `json:"Id"`
		RepoDigests []string
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("%s image inspect: %w", e.program, err)
	}
	digests := map[string][]string{}
	for _, image := range all {
		digests[image.ID] = image.RepoDigests
	}
	return digests, nil
}

// Query says which container is meant: by its name or ID, or by the service of
// a compose project.
type Query struct {
	Name    string `json:"name,omitempty"`
	Service string `json:"service,omitempty"`
	Project string `json:"project,omitempty"` // may be empty, if only one has such a service
}

// String returns it as a person would say it.
func (q Query) String() string {
	switch {
	case q.Name != "":
		return "container " + q.Name
	case q.Project != "":
		return "service " + q.Service + " of the compose project " + q.Project
	}
	return "service " + q.Service
}

// Find returns the one container that is meant, whatever its state.
func (e Engine) Find(ctx context.Context, q Query) (Container, error) {
	if q.Name != "" {
		list, err := e.Inspect(ctx, q.Name)
		if failed, ok := errors.AsType[*Error](err); ok && failed.Kind == Missing {
			return Container{}, e.missing(ctx, q)
		}
		if err != nil {
			return Container{}, err
		}
		return list[0], nil
	}
	labels := []string{labelService + "=" + q.Service}
	if q.Project != "" {
		labels = append(labels, labelProject+"="+q.Project)
	}
	list, err := e.labelled(ctx, labels...)
	if err != nil {
		return Container{}, err
	}
	// `docker compose run` leaves further containers of a service.
	if running := inState(list, "running"); len(running) > 0 {
		list = running
	}
	switch len(list) {
	case 0:
		return Container{}, e.missing(ctx, q)
	case 1:
		return list[0], nil
	}
	return Container{}, &Error{Kind: Ambiguous, Msg: fmt.Sprintf("%s has %d containers: %s", q, len(list), names(list))}
}

func inState(list []Container, state string) []Container {
	var out []Container
	for _, c := range list {
		if c.State == state {
			out = append(out, c)
		}
	}
	return out
}

// missing says which containers there are instead.
func (e Engine) missing(ctx context.Context, q Query) error {
	msg := "the host has no " + q.String()
	if out, err := e.output(ctx, "ps", "--all", "--format", "{{.Names}}"); err == nil {
		if there := strings.Fields(string(out)); len(there) > 0 {
			msg += "; it has " + strings.Join(there, ", ")
		} else {
			msg += "; it has no container at all"
		}
	}
	return &Error{Kind: Missing, Msg: msg}
}

func names(list []Container) string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Name
	}
	return strings.Join(out, ", ")
}

// Exec returns the command that runs argv in a running container, with its
// standard input. It never has a terminal: one would change the bytes.
func (e Engine) Exec(id string, argv ...string) []string {
	return append([]string{e.program, "exec", "-i", id}, argv...)
}

// Stop ends a container, which is killed if it has not ended after the grace.
// It returns when the container has ended.
func (e Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := max(1, int((grace+time.Second-1)/time.Second))
	ctx, cancel := context.WithTimeoutCause(ctx, grace+patience, fmt.Errorf("%s stop does not end", e.program))
	defer cancel()
	_, err := e.run(ctx, "stop", "-t", strconv.Itoa(seconds), id)
	return err
}

// Signal sends a signal to a container's first process, such as "SIGINT". The
// engine takes that for a wish to end it: no restart policy starts it again.
func (e Engine) Signal(ctx context.Context, id, name string) error {
	_, err := e.output(ctx, "kill", "--signal", name, id)
	return err
}

// Start starts a container that exists. One that runs stays as it is.
func (e Engine) Start(ctx context.Context, id string) error {
	_, err := e.output(ctx, "start", id)
	return err
}
