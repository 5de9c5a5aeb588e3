// Command build builds the helper for every kind of host into the folder that
// is embedded into the runner. Run it from the root of the tree.
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const dist = "internal/helper/dist"

func main() {
	for _, arch := range []string{"amd64", "arm64"} {
		if err := build(arch); err != nil {
			fmt.Fprintf(os.Stderr, "the helper for linux/%s: %v\n", arch, err)
			os.Exit(1)
		}
	}
}

func build(arch string) error {
	dir, err := os.MkdirTemp("", "runner-helper-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "helper")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", binary, "./internal/helper/cmd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	_, err = z.Write(content)
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	target := filepath.Join(dist, "linux-"+arch+".gz")
	if old, err := os.ReadFile(target); err == nil && bytes.Equal(old, packed.Bytes()) {
		return nil // what embeds it need not be built anew
	}
	return os.WriteFile(target, packed.Bytes(), 0o644)
}
