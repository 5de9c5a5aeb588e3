package sink

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
)

// repaint is how often the live lines are drawn anew.
const repaint = 100 * time.Millisecond

// screen writes lines that stay, and keeps live lines below them if it has
// any. It is safe for concurrent use.
type screen struct {
	out  io.Writer
	live func() (lines []string, width int) // nil: no live lines

	mu    sync.Mutex
	drawn []string // the live lines on the terminal
	err   error    // the first error of out

	stop chan struct{} // closed to end the painter
	done sync.WaitGroup
}

func newScreen(out io.Writer, live func() ([]string, int)) *screen {
	return &screen{out: out, live: live, stop: make(chan struct{})}
}

// start begins to draw the live lines; close ends it.
func (s *screen) start() {
	s.done.Go(func() {
		tick := time.NewTicker(repaint)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.print(nil, "")
			case <-s.stop:
				return
			}
		}
	})
}

// print writes text, whole lines, above the live lines. w may be another
// writer than the screen's own that ends at the same terminal, or nil.
func (s *screen) print(w io.Writer, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		s.write(w, text)
		return
	}
	lines, width := s.live()
	clear := s.erase(width)
	s.drawn = lines
	below := ""
	if len(lines) > 0 {
		below = strings.Join(lines, "\n") + "\n"
	}
	if w == s.out || w == nil {
		s.write(s.out, clear+text+below) // at once: no flicker
		return
	}
	s.write(s.out, clear)
	s.write(w, text)
	s.write(s.out, below)
}

// erase returns what takes the live lines off the terminal. The terminal may
// have become narrower since they were drawn: then they take more rows.
func (s *screen) erase(width int) string {
	rows := 0
	for _, line := range s.drawn {
		rows += max(1, (runewidth.StringWidth(line)+width-1)/max(1, width))
	}
	if rows == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", rows)
}

func (s *screen) write(w io.Writer, text string) {
	if text == "" {
		return
	}
	if _, err := io.WriteString(w, text); err != nil && s.err == nil && w == s.out {
		s.err = err
	}
}

// close takes the live lines away and waits for the painter.
func (s *screen) close() error {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live != nil {
		_, width := s.live()
		s.write(s.out, s.erase(width))
		s.drawn = nil
	}
	return s.err
}
