// Package dockercompose owns the task kind docker_compose: services of a
// compose project, stopped and started again as they are.
//
// It never creates, recreates or removes a container.
package dockercompose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/torrust/runner/internal/tasks"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "docker_compose", Summary: "Stops, starts or restarts services of a compose project, or tells how they are.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "It works on the containers that are there: none is created, recreated or removed, so that nothing but its running\n" +
	"changes. A service without a container fails the task. After a start it waits until the services run, and are healthy\n" +
	"if they have a health check. Without `state` it only looks.\n\n" +
	"Returns `services`, a mapping from the service to `state`, `health`, `container`, `id`, `image` and `exit_code`, and\n" +
	"`acted_on`, the services that were started or stopped.\n\n" +
	"What must be started again even if the runner dies belongs into a maintenance window, not between two of these.\n\n" +
	"```yaml\n" +
	"- docker_compose: { project_src: /opt/torrust, services: [tracker], state: stopped, timeout: 60 }\n" +
	"- docker_compose: { project_src: /opt/torrust, services: [tracker], state: started }\n" +
	"```\n"

type task struct {
	Src      string        `arg:"project_src,required" alias:"chdir" doc:"the folder with the compose file"`
	Services []string      `arg:"services" doc:"the services; all that have a container if not given"`
	State    string        `arg:"state" choices:"started,stopped,restarted" doc:"what they are to do"`
	Files    []string      `arg:"files" doc:"compose files, if they are not called as usual"`
	Project  string        `arg:"project_name" doc:"the project, if it is not called as its folder"`
	Timeout  time.Duration `arg:"timeout" default:"60" doc:"how long a service may take to stop before it is killed"`
	Wait     bool          `arg:"wait" default:"true" doc:"after a start wait until the services run and are healthy"`
	WaitTime time.Duration `arg:"wait_timeout" default:"120" doc:"how long to wait at most"`
}

var (
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	switch {
	case !strings.HasPrefix(t.Src, "/") && !strings.HasPrefix(t.Src, "~"):
		return fmt.Errorf("project_src %q is not absolute", t.Src)
	case t.Timeout < 0 || t.WaitTime <= 0:
		return errors.New("a time must be positive")
	}
	for _, s := range t.Services {
		if strings.HasPrefix(s, "-") {
			return fmt.Errorf("%q cannot be the name of a service", s)
		}
	}
	return nil
}

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, false)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.make(ctx, h, true)
}

func (t *task) make(ctx context.Context, h tasks.Host, check bool) (tasks.Result, error) {
	c, err := t.compose(ctx, h)
	if err != nil {
		return tasks.Result{}, err
	}
	now, err := c.list(ctx, t.Services)
	if err != nil {
		return tasks.Result{}, err
	}
	concerned := t.concerned(now)
	r := tasks.Result{Changed: len(concerned) > 0, Outputs: outputs(now, concerned)}
	if check {
		return r, nil
	}
	if len(concerned) > 0 {
		if err := c.do(ctx, t.order(), concerned); err != nil {
			return r, err // some may have been stopped or started
		}
	}
	if t.State != "" {
		now, err = t.settle(ctx, c)
		r.Outputs = outputs(now, concerned)
	}
	return r, err
}

// concerned returns the services that must be started or stopped, sorted.
func (t *task) concerned(now []container) []string {
	var out []string
	for _, c := range now {
		if t.State == "restarted" || t.State == "started" && !c.runs() || t.State == "stopped" && !c.rests() {
			out = append(out, c.Service)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// order returns the compose command. Its timeout is that of each container.
func (t *task) order() []string {
	seconds := strconv.FormatInt(int64((t.Timeout+time.Second-1)/time.Second), 10)
	switch t.State {
	case "stopped":
		return []string{"stop", "-t", seconds}
	case "restarted":
		return []string{"restart", "-t", seconds}
	}
	return []string{"start"}
}

// pollEvery is the time between two looks.
const pollEvery = time.Second

// settle waits until the services are as they are to be.
func (t *task) settle(ctx context.Context, c compose) ([]container, error) {
	limit := time.NewTimer(t.WaitTime)
	defer limit.Stop()
	for {
		now, err := c.list(ctx, t.Services)
		if err != nil {
			return nil, err
		}
		unsettled := t.unsettled(now)
		if unsettled == "" {
			return now, nil
		}
		if t.State == "stopped" || !t.Wait {
			return now, errors.New(unsettled)
		}
		poll := time.NewTimer(pollEvery)
		select {
		case <-poll.C:
		case <-limit.C:
			poll.Stop()
			return now, fmt.Errorf("%s, after %s", unsettled, t.WaitTime)
		case <-ctx.Done():
			poll.Stop()
			return now, context.Cause(ctx)
		}
	}
}

// unsettled says which service is not as it is to be; empty if all are.
func (t *task) unsettled(now []container) string {
	for _, c := range now {
		switch {
		case t.State == "stopped" && !c.rests(), t.State != "stopped" && !c.runs():
			return fmt.Sprintf("service %s is %s (exit code %d)", c.Service, c.State, c.ExitCode)
		case t.State != "stopped" && t.Wait && c.Health != "" && c.Health != "healthy":
			return fmt.Sprintf("service %s is %s", c.Service, c.Health)
		}
	}
	return ""
}

func outputs(now []container, concerned []string) map[string]any {
	services, acted := map[string]any{}, []any{}
	for _, c := range now {
		services[c.Service] = map[string]any{
			"state": c.State, "health": c.Health, "container": c.Name, "id": c.ID, "image": c.Image, "exit_code": int64(c.ExitCode),
		}
	}
	for _, s := range concerned {
		acted = append(acted, s)
	}
	return map[string]any{"services": services, "acted_on": acted}
}
