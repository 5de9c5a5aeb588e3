package sink

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/event"
)

// all is one event of each type.
func all() []event.Event {
	return []event.Event{
		event.RunStarted{ID: "r", Time: start}, event.PlayStarted{Name: "p"}, event.NoHosts{Play: "p"},
		event.TaskStarted{Task: ping}, event.HostConnecting{Host: "h"}, event.HostConnected{Host: "h"},
		event.StepStarted{Host: "h"}, event.Progress{Host: "h", Phase: "copying"}, event.OutputLine{Host: "h", Line: "<x>"},
		event.Retrying{Host: "h"}, event.ItemFinished{Label: "i", StepFinished: finished(ping, "h", event.OK)},
		finished(ping, "h", event.Failed), event.ArtifactKept{Host: "h"}, event.SetClosed{Host: "h"},
		event.Warning{Text: "w"}, event.NoMoreHosts{Play: "p"}, event.RunFinished{ID: "r"},
	}
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/output.md")
	require.NoError(t, err)
	var out bytes.Buffer
	j := NewJSON(&out)
	for _, e := range all() {
		j.Emit(e)
	}
	require.NoError(t, j.Close())
	seen := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &got), line)
		name, _ := got["type"].(string)
		assert.False(t, seen[name], "%s comes once", name)
		seen[name] = true
		assert.EqualValues(t, Version, got["v"])
		assert.Contains(t, string(doc), "| `"+name+"` |", "docs/output.md tells of every type")
		for field := range got {
			assert.Contains(t, string(doc), "`"+field+"`", "docs/output.md tells of every field, here of %s", name)
		}
	}
	assert.Len(t, seen, len(all()))
	assert.Contains(t, out.String(), `{"type":"no_hosts","v":1,"play":"p"}`+"\n")
	assert.Contains(t, out.String(), `"line":"<x>"`)
}

func TestJSONProgressIsThinnedOut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	j := NewJSON(&out)
	for i := range 100 { // 10 s
		j.Emit(event.Progress{Time: start.Add(time.Duration(i) * 100 * time.Millisecond), Host: "h", Task: back, Phase: "copying"})
	}
	assert.Equal(t, 10, strings.Count(out.String(), "\n"))
}

func TestLogKnowsEveryEvent(t *testing.T) {
	t.Parallel()
	for _, e := range all() {
		var out bytes.Buffer
		l := NewLog(&out, false)
		l.Emit(e)
		require.NoError(t, l.Close())
		var got map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &got), "%T", e)
		assert.NotEmpty(t, got["level"])
		assert.NotEmpty(t, got["message"], "%T", e)
	}
	var out bytes.Buffer
	NewLog(&out, true).Emit(event.Warning{Host: "h", Text: "clock is off"})
	assert.Contains(t, out.String(), "WRN clock is off host=h")
}
