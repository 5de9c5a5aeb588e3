package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/torrust/runner/internal/window"
)

// holdWindow holds a maintenance window open until the runner goes. What the
// keeper tells is sent at once, as lines of JSON; see package window.
func holdWindow(ctx context.Context, raw json.RawMessage, out io.Writer) (any, error) {
	var p window.Params
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, invalid("the window: %v", err)
	}
	enc := json.NewEncoder(out)
	tell := func(n window.News) error {
		if err := enc.Encode(n); err != nil {
			return err
		}
		if f, ok := out.(interface{ Flush() error }); ok {
			return f.Flush()
		}
		return nil
	}
	err := window.Hold(ctx, p, []string{"/proc/self/exe", os.Args[1], keeperArgument}, tell)
	return nil, windowFailure(err)
}

// serveWindow waits until what a window has stopped is well again.
func serveWindow(ctx context.Context, raw json.RawMessage, _ io.Writer) (any, error) {
	var p window.ServeParams
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, invalid("the window: %v", err)
	}
	served, err := window.Serve(ctx, p)
	return served, windowFailure(err)
}

func windowFailure(err error) error {
	if refused, ok := errors.AsType[*window.Error](err); ok {
		return &Failure{refused.Code, refused.Msg}
	}
	return err
}
