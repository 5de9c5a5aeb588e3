package window

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/torrust/runner/internal/container"
)

// ServeParams say what must run again after a window.
type ServeParams struct {
	Engine   string        `json:"engine,omitempty"`
	Services []Service     `json:"services"` // as they were stopped
	Healthy  time.Duration `json:"healthy"`  // how long they may take to be well
}

// Served is how a service fares after a window.
type Served struct {
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Health  string    `json:"health,omitempty"` // empty without a health check
	Started time.Time `json:"started"`
}

// look is the time between two looks at a service.
const look = 300 * time.Millisecond

// steady is how long a service without a health check must have run.
const steady = time.Second

// Serve returns when every service runs and is well: one with a health check
// is healthy, another one has run for a second. What does not run is started.
func Serve(ctx context.Context, p ServeParams) ([]Served, error) {
	engine, err := container.Open(p.Engine)
	if err != nil {
		return nil, engineError(err, CodeNoEngine)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.Healthy, fail(CodeUnhealthy, "not well within %s", p.Healthy))
	defer cancel()
	for _, s := range p.Services {
		if err := awaitKeeper(ctx, s.ID); err != nil {
			return nil, fail(CodeStart, "the keeper of the window has not ended within %s", p.Healthy)
		}
	}
	if err := start(ctx, engine, p.Services, p.Healthy); err != nil {
		return nil, engineError(err, CodeStart)
	}
	var out []Served
	for _, s := range slices.Backward(p.Services) {
		served, err := await(ctx, engine, s)
		if err != nil {
			return out, err
		}
		out = append(out, served)
	}
	return out, nil
}

// await looks at a service until it is well.
func await(ctx context.Context, engine container.Engine, s Service) (Served, error) {
	var seen container.Container
	since := time.Now()
	for {
		list, err := engine.Inspect(ctx, s.ID)
		switch {
		case ctx.Err() != nil:
			state := strings.TrimSpace(seen.State + " " + seen.Health)
			return Served{}, fail(CodeUnhealthy, "%s was started again, but it is %s", s.Name, state)
		case err != nil:
			return Served{}, engineError(err, CodeStart)
		}
		c := list[0]
		if c.State != "running" || !c.Started.Equal(seen.Started) {
			since = time.Now()
		}
		seen = c
		if c.State == "running" && (c.Health == "healthy" || c.Health == "" && time.Since(since) >= steady) {
			return Served{Name: c.Name, State: c.State, Health: c.Health, Started: c.Started}, nil
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
		}
	}
}
