package fetch

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/torrust/runner/internal/tasks"
)

// local returns where a file outside of the backup set goes.
func (t *task) local(host string) (string, error) {
	dest := t.Dest
	switch {
	case !t.Flat:
		if !filepath.IsLocal(host) {
			return "", fmt.Errorf("the host's name %q cannot be that of a folder", host)
		}
		dest = filepath.Join(dest, host, t.Src)
	case strings.HasSuffix(dest, "/"):
		dest = filepath.Join(dest, path.Base(t.Src))
	}
	dest, err := filepath.Abs(dest)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(dest); err == nil && info.IsDir() {
		return "", fmt.Errorf("dest %s is an existing folder; end it with a slash to put %s into it", dest, path.Base(t.Src))
	}
	return dest, nil
}

// download brings src to a file of the controller, which keeps its old content
// until the new one is whole.
func (t *task) download(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	dest, err := t.local(h.Name)
	if err != nil {
		return tasks.Result{}, err
	}
	before, err := digest(dest)
	if err != nil {
		return tasks.Result{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dest), 0o700); err != nil {
		return tasks.Result{}, err
	}
	f, err := renameio.NewPendingFile(dest, renameio.WithPermissions(0o600), renameio.WithExistingPermissions())
	if err != nil {
		return tasks.Result{}, err
	}
	defer f.Cleanup()
	sum, n := sha1.New(), counter(0)
	info, err := h.Conn.Get(ctx, t.Src, io.MultiWriter(f, sum, &n))
	if err != nil {
		return tasks.Result{}, err
	}
	if int64(n) != info.Size() {
		return tasks.Result{}, fmt.Errorf("%s changed while it was read: %d bytes of %d", t.Src, n, info.Size())
	}
	checksum := hex.EncodeToString(sum.Sum(nil))
	r := tasks.Result{Changed: checksum != before, Outputs: map[string]any{
		"dest": dest, "file": t.Src, "checksum": checksum, "remote_checksum": checksum, "size": int64(n),
	}}
	if !r.Changed {
		return r, nil
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return tasks.Result{}, err
	}
	return r, syncFolder(filepath.Dir(dest))
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// digest returns the SHA-1 of a file in hex, empty if there is none.
func digest(name string) (string, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha1.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// syncFolder makes a rename durable.
func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
