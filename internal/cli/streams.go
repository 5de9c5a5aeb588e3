package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// streams is what a command reads and writes, and what it may do there.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	// width returns the columns of the terminal that out is; it is nil if
	// out is none.
	width              func() int
	outColor, errColor bool
}

func newStreams(env func(string) string, in io.Reader, out, err io.Writer) *streams {
	s := &streams{in: in, out: out, err: err, env: env}
	if fd, ok := terminal(out); ok {
		s.width = func() int {
			columns, _, err := term.GetSize(fd)
			if err != nil || columns <= 0 {
				return 80
			}
			return columns
		}
	}
	s.outColor, s.errColor = s.colors(out), s.colors(err)
	return s
}

// colors tells whether w may be written to with colours.
func (s *streams) colors(w io.Writer) bool {
	if s.env("RUNNER_COLOR") == "always" {
		return true
	}
	_, tty := terminal(w)
	return tty && s.env("NO_COLOR") == "" && s.env("TERM") != "dumb"
}

// terminal returns the descriptor of w if it is a terminal.
func terminal(w any) (fd int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}
