package pack

import (
	"fmt"
	"path"
	"strings"
)

// CheckPattern says why pattern cannot exclude anything.
func CheckPattern(pattern string) error {
	if pattern == "" {
		return &ParamsError{"an exclude pattern is empty"}
	}
	for part := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(part, ""); err != nil {
			return &ParamsError{fmt.Sprintf("exclude pattern %q is not a glob", pattern)}
		}
	}
	return nil
}

// match tells whether a pattern excludes the file at an absolute path. A
// pattern without a slash is compared with the last part of the path; one with
// a slash at its start with all of it, any other with its end. ** stands for
// any number of parts.
func match(pattern, file string) bool {
	pattern = strings.TrimSuffix(pattern, "/")
	parts := strings.Split(strings.Trim(file, "/"), "/")
	if !strings.Contains(pattern, "/") {
		ok, _ := path.Match(pattern, parts[len(parts)-1])
		return ok
	}
	if !strings.HasPrefix(pattern, "/") {
		pattern = "**/" + pattern
	}
	return matchParts(strings.Split(strings.Trim(pattern, "/"), "/"), parts)
}

func matchParts(pattern, parts []string) bool {
	if len(pattern) == 0 {
		return len(parts) == 0
	}
	if pattern[0] == "**" {
		for i := range len(parts) + 1 {
			if matchParts(pattern[1:], parts[i:]) {
				return true
			}
		}
		return false
	}
	if len(parts) == 0 {
		return false
	}
	ok, _ := path.Match(pattern[0], parts[0])
	return ok && matchParts(pattern[1:], parts[1:])
}

func (k *packer) excluded(file string) bool {
	for _, pattern := range k.p.Exclude {
		if match(pattern, file) {
			return true
		}
	}
	return false
}
