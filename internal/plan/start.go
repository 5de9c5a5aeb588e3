package plan

import (
	"path"
	"strings"
)

// startAt removes the steps before the first task that name, which may be a
// glob, matches. It reports whether there is one. Handlers stay.
func startAt(plays []*Play, name string) bool {
	found := false
	for _, p := range plays {
		for i, section := range p.Sections {
			if found {
				return true
			}
			p.Sections[i] = from(section, name, &found)
		}
	}
	return found
}

func from(steps []Step, name string, found *bool) []Step {
	for i, s := range steps {
		switch s := s.(type) {
		case *Task:
			if matches(name, s.Name) || matches(name, s.Title()) {
				*found = true
				return steps[i:]
			}
		case *Block:
			body := from(s.Body, name, found)
			if *found {
				rest := *s
				rest.Body = body
				return append([]Step{&rest}, steps[i+1:]...)
			}
		}
	}
	return nil
}

// matches is Python's fnmatch: * matches a slash, too.
func matches(pattern, name string) bool {
	flat := func(s string) string { return strings.ReplaceAll(s, "/", "\x00") }
	ok, err := path.Match(flat(pattern), flat(name))
	return ok && err == nil || pattern == name
}
