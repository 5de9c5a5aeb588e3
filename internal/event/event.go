// Package event owns the facts of a run, and who may listen to them.
//
// It never knows how they are shown, nor what produced them.
package event

import "time"

// Event is one fact about a run. The set is closed: a Sink may switch over
// every type declared here.
type Event interface{ event() }

// Sink receives the events of one run, in order for each host, from one
// goroutine at a time. A Sink that cannot keep an event reports it from
// Close; it never stops the run.
type Sink interface {
	Emit(Event)
	Close() error
}

// Status is the outcome of a task on a host.
type Status string

// The outcomes.
const (
	OK          Status = "ok"
	Changed     Status = "changed"
	Skipped     Status = "skipped"
	Failed      Status = "failed"
	Unreachable Status = "unreachable"
	Rescued     Status = "rescued"     // failed inside a block whose rescue takes over
	Ignored     Status = "ignored"     // failed, and ignore_errors said to carry on
	Interrupted Status = "interrupted" // stopped by the operator or a deadline of the run
	Unknown     Status = "unknown"     // the link died while it ran
)

// Task identifies one task of a play in a run.
type Task struct {
	ID      string `json:"id"` // unique within the run, the same on every host
	Name    string `json:"name"`
	Kind    string `json:"kind"` // "command", "pipe", …
	Path    string `json:"path"` // file:line of the task
	Handler bool   `json:"handler,omitempty"`
}

// RunStarted opens a run.
type RunStarted struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Playbooks []string  `json:"playbooks"`
	Check     bool      `json:"check,omitempty"`
	Version   string    `json:"version"`
}

// PlayStarted opens a play (for each batch of hosts, if it is serial).
type PlayStarted struct {
	Time  time.Time `json:"time"`
	Name  string    `json:"name"`
	Hosts []string  `json:"hosts"`
	// Strategy is the play's: with "free" and "host_pinned" the results of
	// several tasks come interleaved.
	Strategy string `json:"strategy,omitempty"`
}

// NoHosts says that a play was skipped, since its pattern matched nothing.
type NoHosts struct {
	Play string `json:"play"`
}

// TaskStarted says that a task begins on its first host. With a free
// strategy it comes again when another host reaches the task later.
type TaskStarted struct {
	Time time.Time `json:"time"`
	Play string    `json:"play"`
	Task Task      `json:"task"`
}

// HostConnecting says that a connection is being opened.
type HostConnecting struct {
	Time time.Time `json:"time"`
	Host string    `json:"host"`
	Addr string    `json:"addr"`
}

// HostConnected says that a connection is open.
type HostConnected struct {
	Time        time.Time     `json:"time"`
	Host        string        `json:"host"`
	Addr        string        `json:"addr"`
	Fingerprint string        `json:"fingerprint,omitempty"`
	Took        time.Duration `json:"took_ns"`
}

// StepStarted says that a task begins on one host.
type StepStarted struct {
	Time time.Time `json:"time"`
	Host string    `json:"host"`
	Task Task      `json:"task"`
}

// Progress tells how far a transfer or another long step is.
type Progress struct {
	Time  time.Time `json:"time"`
	Host  string    `json:"host"`
	Task  Task      `json:"task"`
	Phase string    `json:"phase"`           // "copying", "checking", "compressing"
	Done  int64     `json:"done"`            // bytes
	Total int64     `json:"total,omitempty"` // bytes; 0 if not known
	Wire  int64     `json:"wire,omitempty"`  // bytes that crossed the network
}

// OutputLine is one line that a remote command wrote, without its newline,
// secrets masked.
type OutputLine struct {
	Time   time.Time `json:"time"`
	Host   string    `json:"host"`
	Task   Task      `json:"task"`
	Stream string    `json:"stream"` // "stdout" or "stderr"
	Line   string    `json:"line"`
}

// Retrying says that a task with until or retries will be tried again.
type Retrying struct {
	Time time.Time `json:"time"`
	Host string    `json:"host"`
	Task Task      `json:"task"`
	Left int       `json:"retries_left"`
}

// ItemFinished is the outcome of one item of a loop.
type ItemFinished struct {
	StepFinished
	Label string `json:"label"` // how the item is shown
}

// StepFinished is the outcome of a task on one host.
type StepFinished struct {
	Time      time.Time      `json:"time"`
	Host      string         `json:"host"`
	Task      Task           `json:"task"`
	Delegated string         `json:"delegated_to,omitempty"`
	Status    Status         `json:"status"`
	Changed   bool           `json:"changed,omitempty"` // of a task that failed and was ignored, too
	Took      time.Duration  `json:"took_ns"`
	Note      string         `json:"note,omitempty"`  // one line for people
	Error     string         `json:"error,omitempty"` // host and task are not repeated in it
	Hint      string         `json:"hint,omitempty"`
	Diff      string         `json:"diff,omitempty"` // unified
	Looped    bool           `json:"looped,omitempty"`
	Result    map[string]any `json:"result,omitempty"` // what register gets, secrets masked
}

// ArtifactKept says that a file has been brought home whole and proven.
type ArtifactKept struct {
	Time   time.Time      `json:"time"`
	Host   string         `json:"host"`
	Task   Task           `json:"task"`
	Name   string         `json:"name"` // within the host's backup set
	Size   int64          `json:"size"`
	SHA256 string         `json:"sha256"`
	Facts  map[string]any `json:"facts,omitempty"` // method, lock held, proofs
}

// SetClosed is the fate of a host's backup set.
type SetClosed struct {
	Time     time.Time `json:"time"`
	Host     string    `json:"host"`
	Path     string    `json:"path"` // on the controller
	Complete bool      `json:"complete"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	Error    string    `json:"error,omitempty"`
}

// Warning is something that the operator should know and that fails nothing.
type Warning struct {
	Time time.Time `json:"time"`
	Host string    `json:"host,omitempty"`
	Text string    `json:"text"`
}

// Counts are the columns of the recap.
type Counts struct {
	OK          int `json:"ok"`
	Changed     int `json:"changed"`
	Unreachable int `json:"unreachable"`
	Failed      int `json:"failed"`
	Skipped     int `json:"skipped"`
	Rescued     int `json:"rescued"`
	Ignored     int `json:"ignored"`
	Interrupted int `json:"interrupted"`
	Unknown     int `json:"unknown"`
}

// NoMoreHosts says that a play ended early, since no host is left in it.
type NoMoreHosts struct {
	Play string `json:"play"`
}

// RunFinished closes a run.
type RunFinished struct {
	ID    string            `json:"id"`
	Time  time.Time         `json:"time"`
	Took  time.Duration     `json:"took_ns"`
	Hosts map[string]Counts `json:"hosts"`
	Cause string            `json:"cause,omitempty"` // why it ended early
}

func (RunStarted) event()     {}
func (PlayStarted) event()    {}
func (NoHosts) event()        {}
func (TaskStarted) event()    {}
func (HostConnecting) event() {}
func (HostConnected) event()  {}
func (StepStarted) event()    {}
func (Progress) event()       {}
func (OutputLine) event()     {}
func (Retrying) event()       {}
func (ItemFinished) event()   {}
func (StepFinished) event()   {}
func (ArtifactKept) event()   {}
func (SetClosed) event()      {}
func (Warning) event()        {}
func (NoMoreHosts) event()    {}
func (RunFinished) event()    {}

// Tee returns a Sink that hands every event to each of sinks, and closes all
// of them. It serializes: it may be called from many goroutines.
func Tee(sinks ...Sink) Sink { return &tee{sinks: sinks} }
