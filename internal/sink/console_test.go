package sink

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/event"
)

var (
	start = time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)
	ping  = event.Task{ID: "1", Name: "Ping", Kind: "command", Path: "site.yml:3"}
	back  = event.Task{ID: "2", Name: "Database", Kind: "pipe", Path: "site.yml:9"}
)

// show returns what a console without a terminal writes for events.
func show(t *testing.T, o ConsoleOptions, events ...event.Event) string {
	t.Helper()
	var out bytes.Buffer
	o.Out, o.Err = &out, &out
	c := NewConsole(o)
	for _, e := range events {
		c.Emit(e)
	}
	require.NoError(t, c.Close())
	return out.String()
}

func finished(task event.Task, host string, status event.Status, change ...func(*event.StepFinished)) event.StepFinished {
	e := event.StepFinished{Time: start, Host: host, Task: task, Status: status, Changed: status == event.Changed}
	for _, f := range change {
		f(&e)
	}
	return e
}

func TestBannerIsAsWideAsAnsibles(t *testing.T) {
	t.Parallel()
	got := show(t, ConsoleOptions{}, event.PlayStarted{Name: "Sicherung für 東京"})
	assert.Equal(t, "\nPLAY [Sicherung für 東京] "+strings.Repeat("*", 79-25)+"\n", got)
	wide := show(t, ConsoleOptions{Width: func() int { return 120 }}, event.PlayStarted{Name: "x"})
	assert.Len(t, wide, len("\n")+120+len("\n"))
	long := show(t, ConsoleOptions{}, event.PlayStarted{Name: strings.Repeat("x", 200)})
	assert.True(t, strings.HasSuffix(long, "] ***\n"), long)
}

func TestResultLines(t *testing.T) {
	t.Parallel()
	body := func(e *event.StepFinished) {
		e.Result = map[string]any{"changed": e.Changed, "rc": int64(1), "stdout_lines": []any{"a", "b<"}, "invocation": 1}
		e.Error = "exit status 1"
	}
	tests := map[string]struct {
		verbosity int
		event     event.Event
		want      string
	}{
		"ok":          {0, finished(ping, "h", event.OK, body), "ok: [h]\n"},
		"changed":     {0, finished(ping, "h", event.Changed), "changed: [h]\n"},
		"skipped":     {0, finished(ping, "h", event.Skipped), "skipping: [h]\n"},
		"interrupted": {0, finished(ping, "h", event.Interrupted, func(e *event.StepFinished) { e.Error = "interrupted" }), "interrupted: [h]: interrupted\n"},
		"failed":      {0, finished(ping, "h", event.Failed, body), `fatal: [h]: FAILED! => {"changed": false, "msg": "exit status 1", "rc": 1, "stdout_lines": ["a", "b<"]}` + "\n"},
		"rescued":     {0, finished(ping, "h", event.Rescued, body), `fatal: [h]: FAILED! => {"changed": false, "msg": "exit status 1", "rc": 1, "stdout_lines": ["a", "b<"]}` + "\n"},
		"ignored":     {0, finished(ping, "h", event.Ignored), `fatal: [h]: FAILED! => {"changed": false}` + "\n...ignoring\n"},
		"unknown":     {0, finished(ping, "h", event.Unknown, func(e *event.StepFinished) { e.Error = "connection lost" }), `fatal: [h]: UNKNOWN! => {"changed": false, "msg": "connection lost"}` + "\n"},
		"unreachable": {0, finished(ping, "h", event.Unreachable, func(e *event.StepFinished) {
			e.Error, e.Hint = "connect 192.0.2.7:22: connection refused", "is sshd running there?\ntry: ssh h"
		}), `fatal: [h]: UNREACHABLE! => {"changed": false, "msg": "connect 192.0.2.7:22: connection refused", "unreachable": true}` +
			"\n  hint: is sshd running there?\n        try: ssh h\n"},
		"unreachable and ignored": {0, finished(ping, "h", event.Ignored, func(e *event.StepFinished) {
			e.Result = map[string]any{"unreachable": true, "msg": "no"}
		}), `fatal: [h]: UNREACHABLE! => {"changed": false, "msg": "no", "unreachable": true}` + "\n...ignoring\n"},
		"delegated": {0, finished(ping, "h", event.OK, func(e *event.StepFinished) { e.Delegated = "d" }), "ok: [h -> d]\n"},
		"verbose":   {1, finished(ping, "h", event.Changed, func(e *event.StepFinished) { e.Result = map[string]any{"rc": 0, "_ansible_no_log": false} }), `changed: [h] => {"changed": true, "rc": 0}` + "\n"},
		"debug": {0, finished(event.Task{ID: "9", Name: "d", Kind: "debug"}, "h", event.OK, func(e *event.StepFinished) {
			e.Result = map[string]any{"changed": false, "msg": "hello", "list": []any{1, map[string]any{}}}
		}), "ok: [h] => {\n    \"list\": [\n        1,\n        {}\n    ],\n    \"msg\": \"hello\"\n}\n"},
		"diff": {0, finished(ping, "h", event.Changed, func(e *event.StepFinished) { e.Diff = "--- a\n+++ b\n-x\n+y\n" }), "--- a\n+++ b\n-x\n+y\n\nchanged: [h]\n"},
		"item": {0, event.ItemFinished{StepFinished: finished(ping, "h", event.Changed), Label: "x"}, "changed: [h] => (item=x)\n"},
		"item failed": {0, event.ItemFinished{StepFinished: finished(ping, "h", event.Failed, func(e *event.StepFinished) { e.Error = "no" }), Label: "x"},
			`failed: [h] (item=x) => {"changed": false, "msg": "no"}` + "\n"},
		"item skipped": {0, event.ItemFinished{StepFinished: finished(ping, "h", event.Skipped), Label: "x"}, "skipping: [h] => (item=x) \n"},
		"retry":        {0, event.Retrying{Host: "h", Task: ping, Left: 2}, "FAILED - RETRYING: [h]: Ping (2 retries left).\n"},
		"no hosts":     {0, event.NoHosts{Play: "p"}, "skipping: no hosts matched\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := show(t, ConsoleOptions{Verbosity: tt.verbosity}, tt.event)
			_, got, ok := strings.Cut(got, "*\n")
			require.True(t, ok, "a banner comes first")
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWarningsGoToStderr(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	c := NewConsole(ConsoleOptions{Out: &out, Err: &errs})
	c.Emit(event.Warning{Host: "h", Text: "clock is off"})
	require.NoError(t, c.Close())
	assert.Equal(t, "[WARNING]: h: clock is off\n", errs.String())
	assert.Empty(t, out.String())
}

func TestLoopIsToldByItsItems(t *testing.T) {
	t.Parallel()
	looped := func(e *event.StepFinished) { e.Looped = true }
	item := func(s event.Status) event.Event {
		return event.ItemFinished{StepFinished: finished(ping, "h", s), Label: "x"}
	}
	got := show(t, ConsoleOptions{}, item(event.OK), finished(ping, "h", event.OK, looped))
	assert.Equal(t, 1, strings.Count(got, "ok: "), got)
	got = show(t, ConsoleOptions{}, item(event.Skipped), finished(ping, "h", event.Skipped, looped))
	assert.Contains(t, got, "skipping: [h] => (item=x) \nskipping: [h]\n")
	got = show(t, ConsoleOptions{}, finished(ping, "h", event.Failed, looped))
	assert.Contains(t, got, "fatal: [h]: FAILED!", "no item was shown: the list itself was wrong")
}

func TestFreeStrategyNamesTheTaskOfEachResult(t *testing.T) {
	t.Parallel()
	got := show(t, ConsoleOptions{},
		event.PlayStarted{Name: "p", Strategy: "free"},
		event.TaskStarted{Task: ping}, event.TaskStarted{Task: back},
		finished(back, "b", event.OK), finished(ping, "a", event.OK), finished(ping, "c", event.OK), finished(back, "a", event.OK))
	var lines []string
	for line := range strings.Lines(got) {
		if text, _, _ := strings.Cut(strings.TrimSpace(line), " *"); text != "" {
			lines = append(lines, text)
		}
	}
	assert.Equal(t, []string{"PLAY [p]", "TASK [Database]", "ok: [b]", "TASK [Ping]", "ok: [a]", "ok: [c]", "TASK [Database]", "ok: [a]"}, lines)
}

func TestRecapAndSets(t *testing.T) {
	t.Parallel()
	got := show(t, ConsoleOptions{},
		event.SetClosed{Host: "b", Path: "/s/b/1", Complete: true, Files: 2, Bytes: 3 << 20},
		event.SetClosed{Host: "long-name", Path: "/s/x/.1", Error: "disk full"},
		event.RunFinished{Cause: "interrupted", Hosts: map[string]event.Counts{
			"b": {OK: 2, Changed: 1}, "long-name": {Failed: 1, Unknown: 1},
		}})
	_, got, _ = strings.Cut(got, "*\n")
	assert.Equal(t, `b                          : ok=2    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0   
long-name                  : ok=0    changed=0    unreachable=0    failed=1    skipped=0    rescued=0    ignored=0    unknown=1   

The run ended early: interrupted

Backup sets
  b          /s/b/1  2 files, 3.0 MiB
  long-name  incomplete, not a backup: disk full
             what there is of it: /s/x/.1

`, got)
}

func TestRecapInColour(t *testing.T) {
	t.Parallel()
	got := show(t, ConsoleOptions{Color: true}, event.RunFinished{Hosts: map[string]event.Counts{"h": {OK: 1}}})
	assert.Contains(t, got, "\x1b[0;32mh\x1b[0m"+strings.Repeat(" ", 25)+" : \x1b[0;32mok=1   \x1b[0m changed=0    ")
}

func TestArtifactsStandUnderTheirResult(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("ab", 32)
	got := show(t, ConsoleOptions{},
		event.TaskStarted{Task: back},
		event.Progress{Host: "h", Task: back, Phase: "copying", Done: 1, Total: 100 << 20},
		event.Progress{Host: "h", Task: back, Phase: "copying", Done: 2, Total: 100 << 20},
		event.ArtifactKept{Host: "h", Task: back, Name: "sqlite.db.gz", Size: 24536678, SHA256: digest, Facts: map[string]any{"lock_held_ms": 21.4}},
		finished(back, "other", event.Changed),
		finished(back, "h", event.Changed))
	_, got, _ = strings.Cut(got, "*\n")
	assert.Equal(t, "copying: [h] 100.0 MiB\nchanged: [other]\nchanged: [h]\n  kept: sqlite.db.gz  23.4 MiB  sha256 abababababababab…  lock 21 ms\n", got)
}

func TestNoEscapesWithoutColour(t *testing.T) {
	t.Parallel()
	got := show(t, ConsoleOptions{Verbosity: 4},
		event.PlayStarted{Name: "p"}, event.TaskStarted{Task: ping}, event.HostConnected{Host: "h"},
		event.OutputLine{Host: "h", Stream: "stdout", Line: "x"}, finished(ping, "h", event.Failed), event.RunFinished{})
	assert.NotContains(t, got, "\x1b")
}

func TestLiveLines(t *testing.T) {
	t.Parallel()
	now := start
	busy := newBusyHosts(func() time.Time { return now })
	for i := range 50 {
		busy.step(event.StepStarted{Time: start, Host: fmt.Sprintf("host-%02d", i), Task: back})
	}
	assert.Empty(t, busy.lines(80), "what has just begun is not worth a line")
	busy.progress(event.Progress{Time: start, Host: "host-40", Task: back, Phase: "copying", Total: 100 << 20})
	now = start.Add(2 * time.Second)
	busy.progress(event.Progress{Time: now, Host: "host-40", Task: back, Phase: "copying", Done: 50 << 20, Total: 100 << 20})
	lines := busy.lines(100)
	require.Len(t, lines, maxBusy+1)
	assert.Equal(t, "  host-00  Database  2.0 s", lines[0])
	assert.Equal(t, "  host-40  copying        50.0 MiB of 100.0 MiB   50 %  25.0 MiB/s  ETA 2.0 s", lines[maxBusy-1])
	assert.Equal(t, "  and 42 hosts more", lines[maxBusy])
	for _, line := range busy.lines(20) {
		assert.Less(t, len([]rune(line)), 20)
	}
	busy.idle("host-40")
	assert.NotContains(t, strings.Join(busy.lines(80), "\n"), "host-40")
}

func TestScreenKeepsLiveLinesBelow(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	lines, width := []string{"busy one", "busy two"}, 80
	s := newScreen(&out, func() ([]string, int) { return lines, width })
	s.print(&out, "first\n")
	assert.Equal(t, "first\nbusy one\nbusy two\n", out.String())
	out.Reset()
	width = 5 // each live line takes two rows now
	s.print(&out, "second\n")
	assert.Equal(t, "\x1b[4A\r\x1b[Jsecond\nbusy one\nbusy two\n", out.String())
	out.Reset()
	width = 80
	require.NoError(t, s.close())
	assert.Equal(t, "\x1b[2A\r\x1b[J", out.String())
	require.NoError(t, s.close(), "a second close does nothing")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestCloseReportsWhatCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	e := finished(ping, "h", event.OK)
	c := NewConsole(ConsoleOptions{Out: fullDisk{}, Err: fullDisk{}})
	c.Emit(e)
	require.ErrorContains(t, c.Close(), "no space left")
	j := NewJSON(fullDisk{})
	j.Emit(e)
	require.ErrorContains(t, j.Close(), "no space left")
	l := NewLog(fullDisk{}, false)
	l.Emit(e)
	require.ErrorContains(t, l.Close(), "no space left")
}
