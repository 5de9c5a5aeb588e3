package sink

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/torrust/runner/internal/event"
)

// ConsoleOptions say what the console can do and how much it shows.
type ConsoleOptions struct {
	Out, Err  io.Writer  // Err takes the warnings
	Color     bool       // ANSI colours
	Verbosity int        // the number of -v
	Width     func() int // columns of the terminal that Out is; nil if it is none
	// Live keeps a line for each busy host at the bottom of the terminal.
	// It needs Width.
	Live bool
	Now  func() time.Time // time.Now if nil
}

// Console shows a run as Ansible does: banners, a line for each host and
// task, a recap; then where the backup sets are. It is an event.Sink.
type Console struct {
	o       ConsoleOptions
	screen  *screen
	busy    *busyHosts
	pending strings.Builder // lines of the event at hand

	free    bool                            // hosts run ahead of each other: banners come with results
	last    string                          // ID of the task of the last banner
	kept    map[string][]event.ArtifactKept // by host: to show under the result
	items   map[string]string               // host -> ID of the loop that it has shown items of
	started map[string]string               // host -> ID of the task whose transfer is announced
	sets    map[string]event.SetClosed
}

var _ event.Sink = (*Console)(nil)

// NewConsole returns a console. Close stops its live lines.
func NewConsole(o ConsoleOptions) *Console {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Console{
		o:       o,
		busy:    newBusyHosts(o.Now),
		kept:    map[string][]event.ArtifactKept{},
		items:   map[string]string{},
		started: map[string]string{},
		sets:    map[string]event.SetClosed{},
	}
	c.screen = newScreen(o.Out, nil)
	if o.Live && o.Width != nil {
		c.screen = newScreen(o.Out, func() ([]string, int) {
			width := o.Width()
			return c.busy.lines(width), width
		})
		c.screen.start()
	}
	return c
}

// Emit implements event.Sink.
func (c *Console) Emit(e event.Event) {
	c.show(e)
	text := c.pending.String()
	c.pending.Reset()
	if w, ok := e.(event.Warning); ok {
		host := ""
		if w.Host != "" {
			host = w.Host + ": "
		}
		c.screen.print(c.o.Err, c.paint(colorWarning, "[WARNING]: "+host+w.Text)+"\n")
		return
	}
	if text != "" {
		c.screen.print(c.o.Out, text)
	}
}

// Close implements event.Sink. It reports the first error of Out.
func (c *Console) Close() error { return c.screen.close() }

// line adds a line to what the event shows.
func (c *Console) line(col color, text string) {
	c.pending.WriteString(c.paint(col, text) + "\n")
}

func (c *Console) show(e event.Event) {
	switch e := e.(type) {
	case event.PlayStarted:
		c.last, c.free = "", e.Strategy == "free" || e.Strategy == "host_pinned"
		c.banner("PLAY [" + e.Name + "]")
	case event.NoHosts:
		c.banner("PLAY [" + e.Play + "]")
		c.line(colorSkipped, "skipping: no hosts matched")
	case event.NoMoreHosts:
		c.banner("NO MORE HOSTS LEFT")
	case event.TaskStarted:
		if !c.free {
			c.taskBanner(e.Task)
		}
	case event.HostConnecting:
		c.busy.connecting(e)
		c.detail(3, fmt.Sprintf("<%s> connecting to %s", e.Host, e.Addr))
	case event.HostConnected:
		c.busy.idle(e.Host)
		c.detail(3, fmt.Sprintf("<%s> connected to %s in %s, host key %s", e.Host, e.Addr, humanTime(e.Took), cmp.Or(e.Fingerprint, "none")))
	case event.StepStarted:
		c.busy.step(e)
	case event.Progress:
		c.progress(e)
	case event.OutputLine:
		c.detail(2, fmt.Sprintf("<%s> %s: %s", e.Host, e.Stream, e.Line))
	case event.Retrying:
		c.taskBanner(e.Task)
		c.line(colorDim, fmt.Sprintf("FAILED - RETRYING: [%s]: %s (%d retries left).", e.Host, e.Task.Name, e.Left))
	case event.ItemFinished:
		c.item(e)
	case event.StepFinished:
		c.busy.idle(e.Host)
		c.result(e)
	case event.ArtifactKept:
		c.kept[e.Host] = append(c.kept[e.Host], e)
	case event.SetClosed:
		c.sets[e.Host] = e
	case event.RunFinished:
		c.recap(e)
		c.backupSets()
	}
}

// detail shows a line at a verbosity and above.
func (c *Console) detail(verbosity int, text string) {
	if c.o.Verbosity >= verbosity {
		c.line(colorVerbose, text)
	}
}

// taskBanner shows which task the lines that follow belong to, unless that
// is clear.
func (c *Console) taskBanner(t event.Task) {
	if c.last == t.ID {
		return
	}
	c.last = t.ID
	kind := "TASK"
	if t.Handler {
		kind = "RUNNING HANDLER"
	}
	c.banner(kind + " [" + cmp.Or(t.Name, t.Kind) + "]")
	if c.o.Verbosity >= 2 && t.Path != "" {
		c.line(colorDim, "task path: "+t.Path)
	}
}

// progress feeds the live lines. Without them the start of a transfer is
// worth one line: the result will be the next.
func (c *Console) progress(e event.Progress) {
	c.busy.progress(e)
	if c.screen.live != nil || c.started[e.Host] == e.Task.ID {
		return
	}
	c.started[e.Host] = e.Task.ID
	c.taskBanner(e.Task)
	text := e.Phase + ": [" + e.Host + "]"
	if e.Total > 0 {
		text += " " + humanBytes(e.Total)
	}
	c.line("", text)
}

// backupSets tells where the backups are; a run without any says nothing.
func (c *Console) backupSets() {
	if len(c.sets) == 0 {
		return
	}
	width := 0
	for host := range c.sets {
		width = max(width, len(host))
	}
	c.line("", "Backup sets")
	for _, host := range slices.Sorted(maps.Keys(c.sets)) {
		set := c.sets[host]
		text := fmt.Sprintf("  %-*s  %s  %s, %s", width, host, set.Path, count(set.Files, "file"), humanBytes(set.Bytes))
		if set.Complete {
			c.line(colorOK, text)
			continue
		}
		c.line(colorFailed, fmt.Sprintf("  %-*s  incomplete, not a backup: %s", width, host, cmp.Or(set.Error, "a task of this host failed")))
		if set.Path != "" {
			c.line("", fmt.Sprintf("  %-*s  what there is of it: %s", width, "", set.Path))
		}
	}
	c.line("", "")
}
