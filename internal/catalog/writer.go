package catalog

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"strings"
)

// Writer receives one artifact of a Set. Exactly one of Commit and Abort ends
// it; Abort after Commit does nothing, so it may be deferred. It is not safe
// for concurrent use.
type Writer struct {
	set  *Set
	name string
	part string // the temporary name
	file *os.File
	buf  *bufio.Writer
	sum  hash.Hash
	size int64
	done bool
}

var _ io.Writer = (*Writer)(nil)

// writeBuffer gathers the small pieces that compressors write.
const writeBuffer = 256 << 10

// Create starts an artifact. It is invisible until its Commit. A name that
// another artifact of the set has, or is being written under, is an error.
func (s *Set) Create(name string) (*Writer, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errEnded
	}
	for taken := range s.names {
		if taken == name {
			return nil, fmt.Errorf("artifact %q is in this backup set already; two tasks have the same dest", name)
		}
		if strings.HasPrefix(taken, name+"/") || strings.HasPrefix(name, taken+"/") {
			return nil, fmt.Errorf("artifact %q collides with %q of the same backup set: one cannot be a file and a folder", name, taken)
		}
	}
	part := partPrefix + rand.Text()[:8]
	f, err := s.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, s.store.explain("make a file in "+s.Dir(), cause(err))
	}
	s.names[name] = true
	return &Writer{set: s, name: name, part: part, file: f, buf: bufio.NewWriterSize(f, writeBuffer), sum: sha256.New()}, nil
}

// Write implements io.Writer. A full disk is a *SpaceError.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.buf.Write(p)
	w.sum.Write(p[:n])
	w.size += int64(n)
	if err != nil {
		err = w.set.store.explain("write "+w.name, cause(err))
	}
	return n, err
}

// Size returns how many bytes have been written.
func (w *Writer) Size() int64 { return w.size }

// SHA256 returns the digest of what has been written, in lower-case hex.
func (w *Writer) SHA256() string { return hex.EncodeToString(w.sum.Sum(nil)) }

// Commit publishes the artifact within its set. a describes it; name, size
// and digest are filled in.
func (w *Writer) Commit(a Artifact) (Artifact, error) {
	if w.done {
		return Artifact{}, errors.New("the artifact has ended")
	}
	a.Name, a.Size, a.SHA256 = w.name, w.size, w.SHA256()
	err := w.buf.Flush()
	if err == nil {
		err = w.file.Sync()
	}
	if err = errors.Join(err, w.file.Close()); err != nil {
		return Artifact{}, errors.Join(w.set.store.explain("write "+w.name, cause(err)), w.Abort())
	}
	s := w.set
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return Artifact{}, errors.Join(errEnded, w.Abort())
	}
	if err := w.place(); err != nil {
		s.mu.Unlock()
		return Artifact{}, errors.Join(s.store.explain("publish "+w.name, cause(err)), w.Abort())
	}
	defer s.mu.Unlock()
	w.done = true
	if a.Proofs == nil {
		a.Proofs = []Proof{}
	}
	s.manifest.Artifacts = append(s.manifest.Artifacts, a)
	delete(s.problems, w.name)
	return a, nil
}

// place moves the file to its name and makes the move durable.
func (w *Writer) place() error {
	root, dir := w.set.root, path.Dir(w.name)
	if err := root.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	if err := root.Rename(w.part, w.name); err != nil {
		return err
	}
	for ; ; dir = path.Dir(dir) {
		if err := syncDir(root, dir); err != nil || dir == "." {
			return err
		}
	}
}

// Abort removes what has been written.
func (w *Writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	_ = w.file.Close() // what matters is that the file goes
	s := w.set
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, w.name)
	if s.closed {
		return nil // went with the set
	}
	return s.root.Remove(w.part)
}
