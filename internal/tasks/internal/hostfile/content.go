package hostfile

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Content is what a file is to hold. Open may be called several times.
type Content struct {
	SHA1 string // lower-case hex
	Size int64
	Open func() (io.ReadCloser, error)
}

// Text is content that is known.
func Text(text string) Content {
	sum := sha1.Sum([]byte(text))
	return Content{
		SHA1: hex.EncodeToString(sum[:]), Size: int64(len(text)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}
}

// Local is the content of a file on the controller.
func Local(name string) (Content, error) {
	f, err := os.Open(name)
	if err != nil {
		return Content{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return Content{}, errors.Join(err, fmt.Errorf("%s is not a regular file", name))
	}
	sum := sha1.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return Content{}, err
	}
	return Content{
		SHA1: hex.EncodeToString(sum.Sum(nil)), Size: n,
		Open: func() (io.ReadCloser, error) { return os.Open(name) },
	}, nil
}
