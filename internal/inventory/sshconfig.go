package inventory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/torrust/runner/internal/diag"
)

// sshConfigSource begins a source that takes the hosts of an ssh_config.
const sshConfigSource = "ssh_config:"

// maxIncludes bounds how deep files of an ssh_config include each other, as in
// OpenSSH.
const maxIncludes = 16

// sshConfig takes every name that a Host line of the file at path names
// without a wildcard, into the group ssh_config. How such a host is reached
// stays with the connection, which reads the same file.
func (inv *Inventory) sshConfig(path string) error {
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		path = filepath.Join(home, ".ssh", "config")
	}
	r := sshConfigReader{inv: inv, group: inv.group("ssh_config")}
	if _, err := os.Stat(path); err != nil {
		return diag.Errorf(diag.Pos{File: path}, "%v", err)
	}
	r.file(path, 0)
	return r.errs.Err()
}

type sshConfigReader struct {
	inv   *Inventory
	group *group
	errs  diag.List
}

func (r *sshConfigReader) file(path string, depth int) {
	text, err := os.ReadFile(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) || depth == 0 { // an Include may match nothing
			r.errs.Addf(diag.Pos{File: path}, "%v", err)
		}
		return
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		words := strings.Fields(strings.Replace(line, "=", " ", 1))
		if len(words) < 2 || strings.HasPrefix(words[0], "#") {
			continue
		}
		switch at := (diag.Pos{File: path, Line: n, Col: 1}); strings.ToLower(words[0]) {
		case "host":
			for _, name := range words[1:] {
				if name = strings.Trim(name, `"`); !strings.ContainsAny(name, "*?!") {
					r.group.addHost(r.inv.hostAt(name, 0, at))
				}
			}
		case "include":
			if depth == maxIncludes {
				r.errs.Addf(at, "more than %d files include each other", maxIncludes)
				return
			}
			for _, pattern := range words[1:] {
				r.include(strings.Trim(pattern, `"`), depth)
			}
		}
	}
}

func (r *sshConfigReader) include(pattern string, depth int) {
	home, err := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(pattern, "~/"); ok && err == nil {
		pattern = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(home, ".ssh", pattern)
	}
	found, _ := filepath.Glob(pattern) // a pattern that is none matches nothing
	for _, path := range found {
		r.file(path, depth+1)
	}
}
