package sink

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// color is a terminal colour as the parameters of an SGR escape sequence, by
// what Ansible uses it for.
type color string

const (
	colorOK          color = "0;32" // green
	colorChanged     color = "0;33" // yellow
	colorSkipped     color = "0;36" // cyan
	colorFailed      color = "0;31" // red
	colorUnreachable color = "1;31" // bright red
	colorWarning     color = "1;35" // bright purple
	colorVerbose     color = "0;34" // blue
	colorDim         color = "1;30" // dark grey
	colorAdded       color = "0;32"
	colorRemoved     color = "0;31"
	colorPlace       color = "0;36"
)

// paint writes each line of text in a colour, if colours are wanted.
func (c *Console) paint(col color, text string) string {
	if !c.o.Color || text == "" || col == "" {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = "\x1b[" + string(col) + "m" + line + "\x1b[0m"
	}
	return strings.Join(lines, "\n")
}

// banner writes an empty line, the text, and stars up to the width of the
// terminal, at least three; 80 columns if there is no terminal.
func (c *Console) banner(text string) {
	columns := 79
	if c.o.Width != nil {
		columns = max(columns, c.o.Width()-1)
	}
	stars := max(3, columns-runewidth.StringWidth(text))
	c.line("", "\n"+text+" "+strings.Repeat("*", stars))
}
