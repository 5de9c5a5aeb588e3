// Package pipe owns planning and running a pipe: a source, then filters and
// checks, then a sink, joined by byte streams. It decides on which end each
// stage runs, moves the bytes, measures them on both ends, and publishes the
// artifact only if every stage, trailer, count and digest agrees.
//
// It never knows which task kinds exist: a kind becomes a stage by
// implementing one of the interfaces here.
package pipe

import (
	"context"
	"encoding/json"
	"io"
	"os"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/tasks"
)

// HostSource is a source whose bytes the helper produces on the host, so that
// filters may run there, too.
type HostSource interface {
	// HostStage prepares the source: it looks at the host, refuses what
	// cannot work, and returns what the helper is to run.
	HostStage(ctx context.Context, h tasks.Host) (helper.Stage, error)
	// Accept judges the source's own report, after every byte has arrived.
	// An error refuses the artifact.
	Accept(ctx context.Context, h tasks.Host, report json.RawMessage, m helper.Measure) (Outcome, error)
	// Origin names what is read, for the manifest: "/opt/torrust/.env".
	Origin() string
}

// Explainer may be implemented by a HostSource that knows what to do about a
// failure of its own on the host.
type Explainer interface{ Explain(err error) error }

// SpoolSource is a source that must rebuild its content in a private file on
// the controller before anything can follow: the filters run here.
type SpoolSource interface {
	// Spool fills the file.
	Spool(ctx context.Context, h tasks.Host, spool *os.File) (Outcome, error)
	// Prove examines the finished spool while later stages already read
	// it; nothing is published unless it returns nil.
	Prove(ctx context.Context, h tasks.Host, path string) ([]catalog.Proof, error)
	Origin() string
}

// Outcome is what a source reports about itself.
type Outcome struct {
	Method  string
	Proofs  []catalog.Proof
	Details map[string]any // goes to the manifest, to register and to the event
}

// Filter changes the bytes that pass.
type Filter interface {
	// HostStage returns what the helper runs for it; ok is false if the
	// filter can run only on the controller.
	HostStage() (stage helper.Stage, ok bool)
	// Wrap is the same filter on the controller. Close flushes, and does
	// not close w.
	Wrap(w io.Writer) (io.WriteCloser, error)
}

// Check looks at what has passed it and refuses or accepts.
type Check interface {
	// Judge is given the measure of the bytes at the check's place. prev
	// is the artifact of the same name in the newest good set of the host,
	// with the size that it had at this place; nil if there is none, or if
	// it came through other stages.
	Judge(m helper.Measure, prev *catalog.Artifact) (catalog.Proof, error)
}

// Sink names the artifact.
type Sink interface {
	// ArtifactName returns the path of the artifact within the host's set.
	ArtifactName() (string, error)
}
