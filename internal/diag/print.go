package diag

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printer shows mistakes to people: where, what, the line with a caret, and
// what to type instead.
//
//	site.yml:4:7: unknown key "hots"
//	    4 | - hots: all
//	      |   ^
//	  hint: did you mean "hosts"?
type Printer struct {
	W     io.Writer
	Color bool
	// Source returns the text of a file that mistakes point into. Without
	// it, or if it fails, the line is left out.
	Source func(file string) ([]byte, error)
}

// lineWidth is how much of a long line is shown around the caret, in
// characters.
const lineWidth = 120

// Print writes every mistake that err holds; a repeated one is written once.
// It returns how many it wrote, 0 if err is not about mistakes in files.
func (p Printer) Print(err error) int {
	seen := map[string]bool{}
	sources := map[string][]string{}
	for _, e := range All(err) {
		if seen[e.Error()] {
			continue
		}
		seen[e.Error()] = true
		p.one(e, sources)
	}
	return len(seen)
}

func (p Printer) one(e *Error, sources map[string][]string) {
	head := p.paint("1;31", e.Msg)
	if pos := e.Pos.String(); pos != "" {
		head = p.paint("1", pos+":") + " " + head
	}
	var b strings.Builder
	fmt.Fprintln(&b, head)
	if line, ok := p.line(e.Pos, sources); ok {
		number := strconv.Itoa(e.Pos.Line)
		margin := strings.Repeat(" ", max(0, 5-len(number)))
		text, pad := excerpt(line, e.Pos.Col)
		fmt.Fprintf(&b, "%s%s | %s\n", margin, p.paint("1;34", number), text)
		if e.Pos.Col > 0 {
			fmt.Fprintf(&b, "%*s | %s%s\n", max(5, len(number)), "", pad, p.paint("1;31", "^"))
		}
	}
	if e.Hint != "" {
		fmt.Fprintln(&b, "  hint: "+strings.ReplaceAll(e.Hint, "\n", "\n        "))
	}
	_, _ = io.WriteString(p.W, b.String()) // nothing is left to report a failure to
}

func (p Printer) paint(sgr, text string) string {
	if !p.Color {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

func (p Printer) line(pos Pos, sources map[string][]string) (string, bool) {
	if pos.Line == 0 || p.Source == nil {
		return "", false
	}
	lines, ok := sources[pos.File]
	if !ok {
		if src, err := p.Source(pos.File); err == nil {
			lines = strings.Split(string(src), "\n")
		}
		sources[pos.File] = lines
	}
	if pos.Line > len(lines) {
		return "", false
	}
	return strings.TrimSuffix(lines[pos.Line-1], "\r"), true
}

// secretValue finds the value of a key that is likely to be a secret. Output
// ends up in logs, so the value is not shown, not even beside a mistake.
var secretValue = regexp.MustCompile(`(?i)^(.*(?:passw|secret|token|credential|passphrase|private_key|api_key)[^:=]*[:=]\s*)(\S.*)$`)

// excerpt returns the part of line around byte column col as it is shown, and
// what to put before the caret so that it stands below that column.
func excerpt(line string, col int) (text, pad string) {
	if m := secretValue.FindStringSubmatch(line); m != nil && !strings.Contains(m[2], "{{") {
		line = m[1] + "********"
	}
	at := min(max(col-1, 0), len(line))
	before, after := printable(line[:at]), printable(line[at:])
	if n := len(before); n > lineWidth*2/3 {
		before = append([]rune("…"), before[n-lineWidth*2/3+1:]...)
	}
	if n := lineWidth - len(before); len(after) > n {
		after = append(after[:n-1:n-1], '…')
	}
	for _, r := range before {
		if r == '\t' {
			pad += "\t"
		} else {
			pad += " "
		}
	}
	return string(before) + string(after), pad
}

// printable replaces what a terminal would act upon.
func printable(s string) []rune {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r != '\t' && !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		out = append(out, r)
	}
	return out
}
