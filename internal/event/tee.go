package event

import (
	"errors"
	"sync"
)

type tee struct {
	mu    sync.Mutex
	sinks []Sink
}

func (t *tee) Emit(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.sinks {
		s.Emit(e)
	}
}

func (t *tee) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, s := range t.sinks {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
