package executor

import (
	"context"
	"sync"

	"github.com/torrust/runner/internal/plan"
)

// throttles limit how many hosts are at work on the same task.
type throttles struct {
	mu    sync.Mutex
	slots map[*plan.Task]chan struct{}
}

// throttle waits until fewer than limit hosts are at work on t. The limit is
// that of the host that comes first.
func (r *run) throttle(ctx context.Context, t *plan.Task, limit int) (release func(), err error) {
	r.throttles.mu.Lock()
	if r.throttles.slots == nil {
		r.throttles.slots = map[*plan.Task]chan struct{}{}
	}
	slots := r.throttles.slots[t]
	if slots == nil {
		slots = make(chan struct{}, limit)
		r.throttles.slots[t] = slots
	}
	r.throttles.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
