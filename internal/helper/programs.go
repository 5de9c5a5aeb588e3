package helper

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
)

// Argument is the first argument with which a program of ours is the helper.
const Argument = "helper-agent"

//go:embed dist
var dist embed.FS

// program is a helper for one kind of host.
type program struct {
	name string // holds a digest of the content
	sum  string // SHA-256 of the content, lower-case hex
	open func() (io.ReadCloser, error)
}

// Programs are the helpers that this build of the runner carries. The zero
// value is ready; it is safe for concurrent use, and should be shared.
type Programs struct {
	mu    sync.Mutex
	known map[string]*program
}

// arch returns the helper for a Linux host; it is nil if there is none.
func (p *Programs) arch(arch string) (*program, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.known[arch]; ok {
		return known, nil
	}
	found, err := embedded(arch)
	if found == nil && err == nil && runtime.GOOS == "linux" && runtime.GOARCH == arch {
		found, err = self()
	}
	if err != nil {
		return nil, err
	}
	if p.known == nil {
		p.known = map[string]*program{}
	}
	p.known[arch] = found
	return found, nil
}

// embedded returns the helper that was built in.
func embedded(arch string) (*program, error) {
	packed, err := dist.ReadFile("dist/linux-" + arch + ".gz")
	if err != nil {
		return nil, nil // not built in
	}
	open := func() (io.ReadCloser, error) { return gzip.NewReader(bytes.NewReader(packed)) }
	return describe(arch, open)
}

// self returns this program: it is the helper, too, if it is told so.
func self() (*program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return describe(runtime.GOARCH, func() (io.ReadCloser, error) { return os.Open(path) })
}

func describe(arch string, open func() (io.ReadCloser, error)) (*program, error) {
	r, err := open()
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	_, err = io.Copy(h, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("the helper for %s: %w", arch, err)
	}
	sum := hex.EncodeToString(h.Sum(nil))
	return &program{name: "helper-" + arch + "-" + sum[:16], sum: sum, open: open}, nil
}
