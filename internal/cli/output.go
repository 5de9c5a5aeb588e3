package cli

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/sink"
)

// outputFlags say how a run is shown.
type outputFlags struct {
	format    string
	verbosity int
	logFile   string
}

func (o *outputFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.format, "output", "text", "`format` of what is shown: text, or json (one object per line)")
	f.CountVarP(&o.verbosity, "verbose", "v", "show more: results; -vv commands' output; -vvv connections")
	f.StringVar(&o.logFile, "log-file", "", "write a log of the run to `FILE` as JSON lines")
}

// sink returns what shows the events of a run. Close it.
func (o *outputFlags) sink(s *streams) (event.Sink, error) {
	var sinks []event.Sink
	switch o.format {
	case "json":
		sinks = append(sinks, sink.NewJSON(s.out))
	case "text":
		sinks = append(sinks, sink.NewConsole(sink.ConsoleOptions{
			Out: s.out, Err: s.err, Color: s.outColor, Verbosity: o.verbosity,
			Width: s.width, Live: s.width != nil && s.env("TERM") != "dumb",
		}))
	default:
		return nil, &usageError{msg: "--output cannot be " + o.format, hint: "one of: text, json"}
	}
	if o.verbosity >= 3 {
		sinks = append(sinks, sink.NewLog(s.err, true))
	}
	if o.logFile != "" {
		file, err := os.OpenFile(o.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, &usageError{msg: "--log-file", err: err}
		}
		sinks = append(sinks, closing{sink.NewLog(file, false), file})
	}
	return event.Tee(sinks...), nil
}

// closing is a sink with the file that it writes to.
type closing struct {
	event.Sink
	file io.Closer
}

// Close implements event.Sink.
func (c closing) Close() error { return errors.Join(c.Sink.Close(), c.file.Close()) }
