package sink

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	"github.com/torrust/runner/internal/event"
)

// shownAlways are the kinds whose result is what they are for: it is shown
// without -v, too, in full lines.
var shownAlways = map[string]bool{"debug": true, "assert": true}

// hidden are the keys of a result that nobody reads below -vvv.
var hidden = []string{"invocation", "diff", "exception"}

// result shows the outcome of a task on one host.
func (c *Console) result(e event.StepFinished) {
	c.showDiff(e)
	// The outcome of a loop has been told item by item.
	told := e.Looped && c.items[e.Host] == e.Task.ID && !unreachable(e)
	delete(c.items, e.Host)
	if !told || e.Status == event.Skipped {
		c.taskBanner(e.Task)
		c.outcome(e, "", false)
	}
	for _, line := range hintLines(e.Hint) {
		c.line("", line)
	}
	if e.Status == event.Ignored {
		c.line(colorSkipped, "...ignoring")
	}
	c.artifacts(e.Host)
}

// item shows the outcome of one item of a loop.
func (c *Console) item(e event.ItemFinished) {
	c.taskBanner(e.Task)
	c.showDiff(e.StepFinished)
	c.items[e.Host] = e.Task.ID
	c.outcome(e.StepFinished, e.Label, true)
}

// outcome writes the line of a result: "changed: [h]", "ok: [h] => (item=x)",
// "fatal: [h]: FAILED! => {…}".
func (c *Console) outcome(e event.StepFinished, label string, isItem bool) {
	host := e.Host
	if e.Delegated != "" && e.Delegated != e.Host {
		host += " -> " + e.Delegated
	}
	who := "[" + host + "]"
	good := func(col color, word string) {
		text := word + ": " + who
		if isItem {
			text += " => (item=" + label + ")"
		}
		if body := c.verboseBody(e); body != "" {
			text += " => " + body
		} else if isItem && e.Status == event.Skipped {
			text += " "
		}
		c.line(col, text)
	}
	bad := func(col color, word string) {
		text := "fatal: " + who + ": " + word + "!"
		if isItem {
			text = "failed: " + who + " (item=" + label + ")"
		}
		c.line(col, text+" => "+c.body(e, c.o.Verbosity >= 3))
	}
	switch {
	case unreachable(e):
		bad(colorUnreachable, "UNREACHABLE")
	case e.Status == event.OK:
		good(colorOK, "ok")
	case e.Status == event.Changed:
		good(colorChanged, "changed")
	case e.Status == event.Skipped:
		good(colorSkipped, "skipping")
	case e.Status == event.Unknown:
		bad(colorUnreachable, "UNKNOWN")
	case e.Status == event.Interrupted:
		c.line(colorFailed, "interrupted: "+who+": "+cmp.Or(e.Error, e.Note, "the run was stopped"))
	default: // failed, ignored, rescued
		bad(colorFailed, "FAILED")
	}
}

// unreachable tells whether e is about a host that could not be reached, even
// if the play said to ignore that.
func unreachable(e event.StepFinished) bool {
	said, _ := e.Result["unreachable"].(bool)
	return e.Status == event.Unreachable || e.Status == event.Ignored && said
}

// verboseBody returns the result as it follows a good outcome, "" if it is
// not to be shown.
func (c *Console) verboseBody(e event.StepFinished) string {
	always := shownAlways[e.Task.Kind] && e.Status != event.Skipped && len(e.Result) > 0
	if !always && c.o.Verbosity == 0 {
		return ""
	}
	return c.body(e, always || c.o.Verbosity >= 3)
}

// body returns the result of a task as JSON. What went wrong is in it under
// "msg", as people know it from Ansible.
func (c *Console) body(e event.StepFinished, pretty bool) string {
	result := maps.Clone(e.Result)
	if result == nil {
		result = map[string]any{}
	}
	if c.o.Verbosity < 3 {
		for _, key := range hidden {
			delete(result, key)
		}
	}
	maps.DeleteFunc(result, func(key string, _ any) bool { return strings.HasPrefix(key, "_ansible") })
	good := e.Status == event.OK || e.Status == event.Changed || e.Status == event.Skipped
	if good && e.Task.Kind == "debug" {
		for _, key := range []string{"changed", "failed", "skipped", "skip_reason"} {
			delete(result, key)
		}
		return dump(result, pretty)
	}
	if _, ok := result["changed"]; !ok {
		result["changed"] = e.Changed
	}
	if msg, _ := result["msg"].(string); msg == "" && e.Error != "" {
		result["msg"] = e.Error
	}
	if unreachable(e) {
		result["unreachable"] = true
	}
	return dump(result, pretty)
}

// hintLines are the lines that say what to do about a failure.
func hintLines(hint string) []string {
	if hint == "" {
		return nil
	}
	lines := strings.Split(strings.TrimRight(hint, "\n"), "\n")
	for i := range lines {
		if i == 0 {
			lines[i] = "  hint: " + lines[i]
		} else {
			lines[i] = "        " + lines[i]
		}
	}
	return lines
}

func (c *Console) showDiff(e event.StepFinished) {
	if e.Diff == "" {
		return
	}
	c.taskBanner(e.Task)
	for _, line := range strings.Split(strings.TrimSuffix(e.Diff, "\n"), "\n") {
		var col color
		switch {
		case strings.HasPrefix(line, "+"):
			col = colorAdded
		case strings.HasPrefix(line, "-"):
			col = colorRemoved
		case strings.HasPrefix(line, "@@"):
			col = colorPlace
		}
		c.line(col, line)
	}
	c.line("", "")
}

// artifacts shows under a result what the task has brought home.
func (c *Console) artifacts(host string) {
	for _, a := range c.kept[host] {
		text := fmt.Sprintf("  kept: %s  %s  sha256 %s", a.Name, humanBytes(a.Size), shortDigest(a.SHA256))
		if lock, ok := number(a.Facts["lock_held_ms"]); ok {
			text += fmt.Sprintf("  lock %.0f ms", lock)
		}
		c.line(colorOK, text)
	}
	delete(c.kept, host)
}

// shortDigest is enough of a digest to compare by eye.
func shortDigest(digest string) string {
	if len(digest) <= 16 {
		return digest
	}
	return digest[:16] + "…"
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}
