package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/torrust/runner/internal/discover"
)

// findTracker finds out what a tracker host has; see package discover.
func findTracker(ctx context.Context, raw json.RawMessage, _ io.Writer) (any, error) {
	var p discover.Params
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, invalid("tracker_facts: %v", err)
	}
	facts, err := discover.Find(ctx, p)
	if refused, ok := errors.AsType[*discover.Error](err); ok {
		return nil, &Failure{refused.Code, refused.Msg}
	}
	return facts, err
}
