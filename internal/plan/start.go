package plan

import "path"

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
			if match, _ := path.Match(name, s.Name); match || s.Name == name {
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
