package process

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn"
)

// capture keeps the beginning of a stream and passes all of it on.
type capture struct {
	to      io.Writer // may be nil
	b       strings.Builder
	dropped int64
}

func (c *capture) Write(p []byte) (int, error) {
	n := min(len(p), maxOutput-c.b.Len())
	c.b.Write(p[:n])
	c.dropped += int64(len(p) - n)
	if c.to == nil {
		return len(p), nil
	}
	return c.to.Write(p)
}

func (c *capture) text(keepEnds bool) string {
	if keepEnds {
		return c.b.String()
	}
	return strings.TrimRight(c.b.String(), "\r\n")
}

// lines splits as Python's splitlines does for the line ends that commands
// write.
func lines(text string) []any {
	out := []any{}
	for line := range strings.Lines(text) {
		out = append(out, strings.TrimRight(line, "\r\n"))
	}
	return out
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

// code returns the exit status; minus the number of the signal if one ended
// the command, as Python has it.
func code(e *conn.ExitError) int64 {
	signals := map[string]int64{"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9, "SEGV": 11, "PIPE": 13, "ALRM": 14, "TERM": 15}
	if n, ok := signals[strings.TrimPrefix(e.Signal, "SIG")]; ok {
		return -n
	}
	return int64(e.Code)
}

// timestamp and delta print as Python prints a datetime and a timedelta.
func timestamp(t time.Time) string { return t.Format("2006-01-02 15:04:05.000000") }

func delta(d time.Duration) string {
	s := fmt.Sprintf("%d:%02d:%02d.%06d", int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60, d.Microseconds()%1e6)
	switch days := int(d.Hours()) / 24; days {
	case 0:
		return s
	case 1:
		return "1 day, " + s
	default:
		return fmt.Sprintf("%d days, %s", days, s)
	}
}

// Stdin returns what a command is to read: text, with a newline at its end if
// one is wanted.
func Stdin(text string, newline bool) string {
	if newline && !strings.HasSuffix(text, "\n") {
		return text + "\n"
	}
	return text
}
