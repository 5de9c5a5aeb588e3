package catalog

import "time"

// Artifact is a file that a run has brought to the controller.
type Artifact struct {
	Name     string         `json:"name"` // path below the set's folder, with slashes
	Kind     string         `json:"kind"` // the task kind of its source: "sqlite_copy"
	Source   string         `json:"source"`
	Method   string         `json:"method,omitempty"`
	Stages   []string       `json:"stages,omitempty"` // "sqlite_copy (host)", "gzip (controller)", …
	Size     int64          `json:"size"`
	SHA256   string         `json:"sha256"`
	Started  time.Time      `json:"started"`
	Finished time.Time      `json:"finished"`
	Proofs   []Proof        `json:"proofs"`
	Details  map[string]any `json:"details,omitempty"` // lock_held_ms, passes, …
}

// Proof is one check that an artifact had to pass.
type Proof struct {
	Name   string `json:"name"`   // "integrity_check", "digest", "min_size"
	Result string `json:"result"` // Passed, or Unknown with the reason in Detail
	Detail string `json:"detail,omitempty"`
}

// The results of a proof. One that failed never gets into a manifest: the
// artifact is refused.
const (
	Passed  = "passed"
	Unknown = "unknown"
)
