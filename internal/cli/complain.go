package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/torrust/runner/internal/diag"
)

// complain tells a person what went wrong, and what to do next. What the run
// has shown already is not repeated.
func complain(s *streams, err error) {
	var run outcome
	if err == nil || errors.As(err, &run) || errors.Is(err, errInterrupted) {
		return
	}
	p := diag.Printer{W: s.err, Color: s.errColor, Source: os.ReadFile}
	if n := p.Print(err); n > 0 {
		mistakes := "1 mistake"
		if n > 1 {
			mistakes = fmt.Sprintf("%d mistakes", n)
		}
		fmt.Fprintf(s.err, "\nrunner: %s; nothing was run\n", mistakes)
		return
	}
	fmt.Fprintf(s.err, "runner: %v\n", err)
	for i, line := range hint(err) {
		if i == 0 {
			fmt.Fprintf(s.err, "  hint: %s\n", line)
		} else {
			fmt.Fprintf(s.err, "        %s\n", line)
		}
	}
}
