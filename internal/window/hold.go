package window

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"syscall"
	"time"

	"github.com/torrust/runner/internal/container"
)

// Hold opens a window: it starts argv, which must run [Keep], tells when
// everything is stopped, and holds the window open until ctx ends or the keeper
// closes it. It returns nil if there was nothing to stop, and the cause of ctx
// if that ended it; the keeper then starts everything on its own. tell is
// called with the keeper's news as they come; if it fails the window is closed.
func Hold(ctx context.Context, p Params, argv []string, tell func(News) error) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // what ends our session spares it
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fail(CodeKeeper, "the keeper of the window cannot be started: %v", err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = stdin.Close()
		_ = stdout.Close() // the keeper needs nobody to listen
	})
	defer stop()
	if err := json.NewEncoder(stdin).Encode(p); err != nil {
		_ = stdin.Close()
	}
	var last News
	dec := json.NewDecoder(stdout)
	for {
		var n News
		if err := dec.Decode(&n); err != nil {
			break
		}
		if n.Event != Closed {
			if err := tell(n); err != nil {
				_ = stdin.Close()
			}
		}
		last = keepList(last, n)
	}
	if ctx.Err() != nil {
		go func() { _ = cmd.Wait() }() // unless this process ends before the keeper
		return context.Cause(ctx)
	}
	waitErr := cmd.Wait()
	if last.Event == Closed {
		return verdict(p, last, tell)
	}
	return rescue(ctx, p, last, waitErr)
}

// keepList returns the newer news, with the lists of the older if it has none.
func keepList(old, n News) News {
	if n.Stopped == nil {
		n.Stopped = old.Stopped
	}
	if n.Engine == "" {
		n.Engine = old.Engine
	}
	return n
}

// verdict says what the end of a keeper means while the window was wanted.
func verdict(p Params, n News, tell func(News) error) error {
	switch {
	case n.Code != "":
		return &Error{n.Code, n.Msg}
	case n.Why == Nothing:
		return tell(n)
	case n.Why == Deadline:
		return fail(CodeDeadline, "the maintenance window was open for %s, its limit: %s was started again", p.Deadline, names(n.Stopped))
	}
	return fail(CodeKeeper, "the maintenance window was closed from outside (%s): %s was started again", n.Why, names(n.Stopped))
}

// rescue does the work of a keeper that was killed. A stop of it may still be
// under way in the engine, so what runs is looked at until that is over.
func rescue(ctx context.Context, p Params, n News, why error) error {
	ctx = context.WithoutCancel(ctx)
	engine, err := container.Open(n.Engine)
	if err == nil && len(n.Stopped) > 0 {
		until := time.Now()
		if n.Event == Stopping {
			until = until.Add(p.Grace + startPause)
		}
		for {
			err = start(ctx, engine, n.Stopped, startPatience)
			if time.Now().After(until) {
				break
			}
			time.Sleep(startPause)
		}
	}
	if err != nil {
		return engineError(err, CodeStart)
	}
	if why == nil {
		why = errors.New("it has ended")
	}
	return fail(CodeKeeper, "the keeper of the maintenance window was killed (%v): the helper has started %s again in its place", why, names(n.Stopped))
}
