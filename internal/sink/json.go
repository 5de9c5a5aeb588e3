package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/torrust/runner/internal/event"
)

// Version is the version of the JSON lines. It grows when a reader of the
// former one would break; new fields and new types do not count.
const Version = 1

// progressEvery is how often a step's progress becomes a line: bytes move in
// smaller pieces than anybody wants to read.
const progressEvery = time.Second

// JSON writes one object for each event and line; see docs/output.md. It is
// an event.Sink.
type JSON struct {
	w        io.Writer
	progress map[string]time.Time // host and task -> when it last became a line
	err      error
}

var _ event.Sink = (*JSON)(nil)

// NewJSON returns a sink that writes to w.
func NewJSON(w io.Writer) *JSON { return &JSON{w: w, progress: map[string]time.Time{}} }

// Emit implements event.Sink.
func (j *JSON) Emit(e event.Event) {
	if p, ok := e.(event.Progress); ok && !j.due(p) {
		return
	}
	line, err := jsonLine(e)
	if err == nil && j.err == nil {
		_, err = j.w.Write(line)
	}
	if j.err == nil {
		j.err = err
	}
}

// Close implements event.Sink. It reports the first event that could not be
// written.
func (j *JSON) Close() error { return j.err }

func (j *JSON) due(p event.Progress) bool {
	key := p.Host + "\x00" + p.Task.ID + "\x00" + p.Phase
	if last, ok := j.progress[key]; ok && p.Time.Sub(last) < progressEvery {
		return false
	}
	j.progress[key] = p.Time
	return true
}

// jsonLine returns {"type":"…","v":1, and the fields of e, with a newline.
func jsonLine(e event.Event) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"type":%q,"v":%d`, typeName(e), Version)
	head := b.Len()
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("event %s as JSON: %w", typeName(e), err)
	}
	line := b.Bytes()
	if string(line[head:]) == "{}\n" {
		return append(line[:head], "}\n"...), nil
	}
	line[head] = ',' // in place of the opening brace
	return line, nil
}

// typeName is the "type" of an event's line.
func typeName(e event.Event) string {
	switch e.(type) {
	case event.RunStarted:
		return "run_started"
	case event.PlayStarted:
		return "play_started"
	case event.NoHosts:
		return "no_hosts"
	case event.TaskStarted:
		return "task_started"
	case event.HostConnecting:
		return "host_connecting"
	case event.HostConnected:
		return "host_connected"
	case event.StepStarted:
		return "step_started"
	case event.Progress:
		return "progress"
	case event.OutputLine:
		return "output"
	case event.Retrying:
		return "retrying"
	case event.ItemFinished:
		return "item_finished"
	case event.StepFinished:
		return "step_finished"
	case event.ArtifactKept:
		return "artifact_kept"
	case event.SetClosed:
		return "set_closed"
	case event.Warning:
		return "warning"
	case event.NoMoreHosts:
		return "no_more_hosts"
	case event.RunFinished:
		return "run_finished"
	}
	return fmt.Sprintf("%T", e)
}
