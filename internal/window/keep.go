package window

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/torrust/runner/internal/container"
)

// startPatience is how long a keeper tries to start what it has stopped: the
// engine itself may be restarting.
const startPatience = 10 * time.Minute

// startPause is the time between two tries.
const startPause = time.Second

// Keep is the keeper: it reads Params from in, tells News on out, and returns
// when the window is closed. It is a process of its own, since it takes over
// the signals: only SIGTERM has a meaning, and closes the window.
func Keep(in io.Reader, out io.Writer) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	k := &keeper{news: json.NewEncoder(out)}
	dec := json.NewDecoder(in)
	if err := dec.Decode(&k.p); err != nil {
		return // nobody wants it any more
	}
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(gone)
	}()
	if err := k.find(); err != nil {
		k.failed(err)
		return
	}
	defer k.release()
	if len(k.stop) == 0 {
		k.tell(News{Event: Closed, Why: Nothing, Engine: k.p.Engine, Idle: k.idle})
		return
	}
	k.tell(News{Event: Stopping, Engine: k.p.Engine, Stopped: k.stop, Idle: k.idle})
	deadline := time.NewTimer(k.p.Deadline)
	for _, s := range k.stop {
		if ended(gone) {
			k.close(Asked, nil)
			return
		}
		// To the end, even if nobody wants it any more: the engine cannot be
		// held back from a stop, and what is started before is stopped after.
		if err := k.end(s); err != nil {
			k.close(Failed, engineError(err, CodeStop))
			return
		}
	}
	k.tell(News{Event: Open, Engine: k.p.Engine, Stopped: k.stop, Idle: k.idle})
	why := Asked
	select {
	case <-gone:
	case <-deadline.C:
		why = Deadline
	case <-terminate:
		why = Terminate
	}
	k.close(why, nil)
}

func ended(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

type keeper struct {
	p      Params
	engine container.Engine
	news   *json.Encoder
	stop   []Service
	idle   []string
	locks  []net.Listener
}

// tell says something to a helper that may be gone.
func (k *keeper) tell(n News) { _ = k.news.Encode(n) }

func (k *keeper) failed(err *Error) {
	k.tell(News{Event: Closed, Why: Failed, Code: err.Code, Msg: err.Msg})
}

// find looks for the containers, and takes their locks. It touches none.
func (k *keeper) find() *Error {
	ctx := context.Background()
	var err error
	if k.engine, err = container.Open(k.p.Engine); err != nil {
		return engineError(err, CodeNoEngine)
	}
	k.p.Engine = k.engine.Name()
	for _, name := range k.p.Stop {
		c, err := k.lookup(ctx, name)
		if err != nil {
			return engineError(err, CodeContainer)
		}
		if slices.ContainsFunc(k.stop, func(s Service) bool { return s.ID == c.ID }) {
			continue
		}
		lock, err := lock(c.ID)
		if err != nil {
			return fail(CodeBusy, "another maintenance window holds %s", c.Name)
		}
		k.locks = append(k.locks, lock)
		switch c.State {
		case "running", "restarting":
			k.stop = append(k.stop, Service{c.ID, c.Name})
		case "paused":
			return fail(CodeContainer, "the container %s is paused: resume or stop it first", c.Name)
		default:
			k.idle = append(k.idle, c.Name)
		}
	}
	return nil
}

// lookup returns the container of that name, or the one of that service.
func (k *keeper) lookup(ctx context.Context, name string) (container.Container, error) {
	if k.p.Project == "" {
		c, err := k.engine.Find(ctx, container.Query{Name: name})
		if err == nil || container.KindOf(err) != container.Missing {
			return c, err
		}
	}
	return k.engine.Find(ctx, container.Query{Service: name, Project: k.p.Project})
}

// end ends a container: with the signal first, if there is one, then as the
// engine does.
func (k *keeper) end(s Service) error {
	ctx := context.Background()
	if k.p.Signal != "" {
		if err := k.engine.Signal(ctx, s.ID, k.p.Signal); err != nil {
			return err
		}
	}
	return k.engine.Stop(ctx, s.ID, k.p.Grace)
}

// close starts what was stopped, and says how that went.
func (k *keeper) close(why string, failure *Error) {
	n := News{Event: Closed, Why: why, Engine: k.p.Engine, Stopped: k.stop, Idle: k.idle}
	if err := start(context.Background(), k.engine, k.stop, startPatience); err != nil {
		failure = engineError(err, CodeStart)
	}
	if failure != nil {
		n.Code, n.Msg = failure.Code, failure.Msg
	}
	k.tell(n)
}

func (k *keeper) release() {
	for _, l := range k.locks {
		_ = l.Close() // the process ends anyway
	}
}

// start starts services, in the reverse order, and tries again for a while.
// One that exists no longer is not waited for.
func start(ctx context.Context, engine container.Engine, list []Service, patience time.Duration) error {
	until := time.Now().Add(patience)
	var errs []error
	for _, s := range slices.Backward(list) {
		for {
			err := engine.Start(ctx, s.ID)
			if err == nil {
				break
			}
			if container.KindOf(err) == container.Missing || time.Now().After(until) || ctx.Err() != nil {
				errs = append(errs, fmt.Errorf("%s cannot be started again: %w", s.Name, err))
				break
			}
			select {
			case <-time.After(startPause):
			case <-ctx.Done():
			}
		}
	}
	return errors.Join(errs...)
}

// address is that of the socket of a container's keeper, in the abstract
// namespace.
func address(id string) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: "@torrust-runner-window-" + id}
}

func lock(id string) (net.Listener, error) { return net.ListenUnix("unix", address(id)) }

// awaitKeeper returns when no keeper holds the container.
func awaitKeeper(ctx context.Context, id string) error {
	for {
		c, err := net.DialUnix("unix", nil, address(id))
		if err != nil {
			return ctx.Err() // nobody is bound to it
		}
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		_, _ = c.Read(make([]byte, 1)) // ends with the keeper
		stop()
		_ = c.Close()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
