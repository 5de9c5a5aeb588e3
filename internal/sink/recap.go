package sink

import (
	"fmt"
	"maps"
	"slices"

	"github.com/torrust/runner/internal/event"
)

// recap shows the counts of each host. Columns that Ansible lacks appear only
// where they are not zero, so that what reads Ansible's recap reads ours.
func (c *Console) recap(e event.RunFinished) {
	c.banner("PLAY RECAP")
	for _, host := range slices.Sorted(maps.Keys(e.Hosts)) {
		n := e.Hosts[host]
		text := c.recapHost(host, n) + " :"
		for _, column := range recapColumns(n) {
			if column.n == 0 && column.ours {
				continue
			}
			field := fmt.Sprintf("%s=%-4d", column.name, column.n)
			if column.n != 0 {
				field = c.paint(column.col, field)
			}
			text += " " + field
		}
		c.line("", text)
	}
	c.line("", "")
	if e.Cause != "" {
		c.line(colorFailed, "The run ended early: "+e.Cause)
		c.line("", "")
	}
}

func (c *Console) recapHost(host string, n event.Counts) string {
	if !c.o.Color {
		return fmt.Sprintf("%-26s", host)
	}
	col := colorOK
	switch {
	case n.Failed+n.Unreachable+n.Interrupted+n.Unknown > 0:
		col = colorFailed
	case n.Changed > 0:
		col = colorChanged
	}
	return fmt.Sprintf("%-37s", c.paint(col, host)) // 11 columns are escape codes
}

type recapColumn struct {
	name string
	n    int
	col  color
	ours bool
}

func recapColumns(n event.Counts) []recapColumn {
	return []recapColumn{
		{"ok", n.OK, colorOK, false},
		{"changed", n.Changed, colorChanged, false},
		{"unreachable", n.Unreachable, colorUnreachable, false},
		{"failed", n.Failed, colorFailed, false},
		{"skipped", n.Skipped, colorSkipped, false},
		{"rescued", n.Rescued, colorOK, false},
		{"ignored", n.Ignored, colorWarning, false},
		{"interrupted", n.Interrupted, colorFailed, true},
		{"unknown", n.Unknown, colorUnreachable, true},
	}
}
