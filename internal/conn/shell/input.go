package shell

import (
	"io"
	"sync"
)

// input is the standard input of a command, which may be closed while it is
// written to: channels of x/crypto/ssh are not safe for that.
type input struct {
	mu     sync.Mutex
	w      io.WriteCloser
	closed bool
}

func (i *input) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return 0, io.ErrClosedPipe
	}
	return i.w.Write(p)
}

// close ends the input, unless a write is stuck: that ends with the command.
func (i *input) close() {
	if !i.mu.TryLock() {
		return
	}
	defer i.mu.Unlock()
	if !i.closed {
		i.closed = true
		_ = i.w.Close()
	}
}
