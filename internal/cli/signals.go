package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted is the cause with which the context of a command ends when
// the operator or the system wants the runner to stop.
var errInterrupted = errors.New("interrupted")

// watchSignals returns a context that the first signal to stop cancels with
// errInterrupted, and a channel that the second one closes. stop ends the
// watching, and waits for it.
func watchSignals(parent context.Context, stderr io.Writer) (ctx context.Context, second <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	forced, over, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; n < 2; n++ {
			select {
			case s := <-signals:
				if n == 1 {
					close(forced)
					return
				}
				fmt.Fprintf(stderr, "\nrunner: %s: stopping, and cleaning up on the hosts; once more stops at once\n", s)
				cancel(errInterrupted)
			case <-over:
				return
			}
		}
	}()
	return ctx, forced, func() {
		signal.Stop(signals)
		close(over)
		<-ended
		cancel(nil)
	}
}
