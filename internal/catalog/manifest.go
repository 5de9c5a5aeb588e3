package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// ManifestVersion is the version of the manifest's layout. A reader refuses a
// higher one; new optional fields do not raise it.
const ManifestVersion = 1

const manifestFormat = "torrust-runner/backup-set"

// maxManifest bounds what is read of a manifest.
const maxManifest = 64 << 20

// Status is the fate of a set.
type Status string

// The fates.
const (
	Complete   Status = "complete"   // everything that the run wanted is there and proven
	Incomplete Status = "incomplete" // something is missing; what is there is proven
)

// Manifest describes a set. It is the file manifest.json.
type Manifest struct {
	Format    string     `json:"format"`
	Version   int        `json:"version"`
	Status    Status     `json:"status"`
	Host      string     `json:"host"`
	RunID     string     `json:"run_id"`
	Started   time.Time  `json:"started"`
	Finished  time.Time  `json:"finished"`
	Runner    string     `json:"runner,omitempty"` // version
	Playbooks []Playbook `json:"playbooks,omitempty"`
	Addr      string     `json:"addr,omitempty"`     // host:port
	User      string     `json:"user,omitempty"`     // login user
	HostKey   string     `json:"host_key,omitempty"` // SHA256:…
	Artifacts []Artifact `json:"artifacts"`
	Problems  []Problem  `json:"problems,omitempty"`
}

// Playbook is a playbook that the run was made of.
type Playbook struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256,omitempty"`
}

// Problem is an artifact that the run did not bring home.
type Problem struct {
	Artifact string `json:"artifact"`
	Error    string `json:"error"`
}

// Artifact returns the artifact of that name, nil if there is none.
func (m *Manifest) Artifact(name string) *Artifact {
	i := slices.IndexFunc(m.Artifacts, func(a Artifact) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return &m.Artifacts[i]
}

// Bytes returns the size of all artifacts.
func (m *Manifest) Bytes() int64 {
	var n int64
	for _, a := range m.Artifacts {
		n += a.Size
	}
	return n
}

func (m *Manifest) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(m)
	return b.Bytes(), err
}

// readManifest reads and checks the manifest of a set's folder.
func readManifest(root *os.Root, folder string) (*Manifest, error) {
	f, err := root.Open(path.Join(folder, manifestName))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, cause(err))
	}
	return parseManifest(data)
}

func parseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", manifestName, err)
	}
	switch {
	case m.Format != manifestFormat:
		return nil, fmt.Errorf("%s is not the manifest of a backup set", manifestName)
	case m.Version < 1 || m.Version > ManifestVersion:
		return nil, fmt.Errorf("%s has version %d, this program knows up to %d", manifestName, m.Version, ManifestVersion)
	case m.Status != Complete && m.Status != Incomplete:
		return nil, fmt.Errorf("%s has the unknown status %q", manifestName, m.Status)
	}
	seen := map[string]bool{}
	for _, a := range m.Artifacts {
		if err := CheckName(a.Name); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", manifestName, err)
		}
		if seen[a.Name] || a.Size < 0 || !isDigest(a.SHA256) {
			return nil, fmt.Errorf("%s is damaged: artifact %q", manifestName, a.Name)
		}
		seen[a.Name] = true
	}
	return &m, nil
}

func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// encodeSums writes a file that sha256sum -c understands.
func encodeSums(artifacts []Artifact, manifestSum string) []byte {
	var b bytes.Buffer
	for _, a := range artifacts {
		fmt.Fprintf(&b, "%s  %s\n", a.SHA256, a.Name)
	}
	fmt.Fprintf(&b, "%s  %s\n", manifestSum, manifestName)
	return b.Bytes()
}
