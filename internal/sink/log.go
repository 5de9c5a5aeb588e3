package sink

import (
	"io"

	"github.com/rs/zerolog"

	"github.com/torrust/runner/internal/event"
)

// Log writes every event to a zerolog log, for finding out what the runner
// did. The field names are those of the JSON lines. It is an event.Sink.
type Log struct {
	log zerolog.Logger
	out *firstError
}

var _ event.Sink = (*Log)(nil)

// NewLog returns a sink that logs to w: JSON lines with time and level, or
// lines for people.
func NewLog(w io.Writer, forPeople bool) *Log {
	out := &firstError{w: w}
	var to io.Writer = out
	if forPeople {
		to = zerolog.ConsoleWriter{Out: out, NoColor: true, TimeFormat: "15:04:05.000"}
	}
	return &Log{log: zerolog.New(to).With().Timestamp().Logger(), out: out}
}

// Logger returns the log for what is not an event.
func (l *Log) Logger() zerolog.Logger { return l.log }

// Emit implements event.Sink.
func (l *Log) Emit(e event.Event) {
	switch e := e.(type) {
	case event.RunStarted:
		l.log.Info().Str("id", e.ID).Str("version", e.Version).Strs("playbooks", e.Playbooks).Bool("check", e.Check).Msg("run started")
	case event.PlayStarted:
		l.log.Info().Str("play", e.Name).Str("strategy", e.Strategy).Int("hosts", len(e.Hosts)).Msg("play started")
	case event.NoHosts:
		l.log.Info().Str("play", e.Play).Msg("play has no hosts")
	case event.NoMoreHosts:
		l.log.Info().Str("play", e.Play).Msg("no more hosts left")
	case event.TaskStarted:
		l.task(l.log.Debug(), e.Task).Msg("task started")
	case event.HostConnecting:
		l.log.Debug().Str("host", e.Host).Str("addr", e.Addr).Msg("connecting")
	case event.HostConnected:
		l.log.Debug().Str("host", e.Host).Str("addr", e.Addr).Str("fingerprint", e.Fingerprint).Dur("took_ms", e.Took).Msg("connected")
	case event.StepStarted:
		l.task(l.log.Debug(), e.Task).Str("host", e.Host).Msg("step started")
	case event.Progress:
		l.task(l.log.Trace(), e.Task).Str("host", e.Host).Str("phase", e.Phase).Int64("done", e.Done).Int64("total", e.Total).Int64("wire", e.Wire).Msg("progress")
	case event.OutputLine:
		l.task(l.log.Trace(), e.Task).Str("host", e.Host).Str("stream", e.Stream).Str("line", e.Line).Msg("output")
	case event.Retrying:
		l.task(l.log.Debug(), e.Task).Str("host", e.Host).Int("retries_left", e.Left).Msg("retrying")
	case event.ItemFinished:
		l.finished(e.StepFinished).Str("label", e.Label).Msg("item finished")
	case event.StepFinished:
		l.finished(e).Msg("step finished")
	case event.ArtifactKept:
		l.task(l.log.Info(), e.Task).Str("host", e.Host).Str("name", e.Name).Int64("size", e.Size).Str("sha256", e.SHA256).Any("facts", e.Facts).Msg("artifact kept")
	case event.SetClosed:
		l.log.Info().Str("host", e.Host).Str("path", e.Path).Bool("complete", e.Complete).Int("files", e.Files).Int64("bytes", e.Bytes).Str("error", e.Error).Msg("backup set closed")
	case event.Warning:
		l.log.Warn().Str("host", e.Host).Msg(e.Text)
	case event.RunFinished:
		l.log.Info().Str("id", e.ID).Dur("took_ms", e.Took).Any("hosts", e.Hosts).Str("cause", e.Cause).Msg("run finished")
	}
}

func (l *Log) task(e *zerolog.Event, t event.Task) *zerolog.Event {
	return e.Str("task", t.Name).Str("kind", t.Kind).Str("path", t.Path)
}

func (l *Log) finished(e event.StepFinished) *zerolog.Event {
	level := l.log.Debug()
	if e.Error != "" {
		level = l.log.Warn()
	}
	level = l.task(level, e.Task).Str("host", e.Host).Str("status", string(e.Status)).Dur("took_ms", e.Took)
	if e.Error != "" {
		level = level.Str("error", e.Error)
	}
	return level
}

// Close implements event.Sink. It reports the first error of the writer.
func (l *Log) Close() error { return l.out.err }

// firstError remembers the first error of a writer and keeps it from zerolog,
// which would print it to the process's stderr.
type firstError struct {
	w   io.Writer
	err error
}

func (f *firstError) Write(p []byte) (int, error) {
	if _, err := f.w.Write(p); err != nil && f.err == nil {
		f.err = err
	}
	return len(p), nil
}
