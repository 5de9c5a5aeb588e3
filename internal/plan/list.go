package plan

import (
	"io"
	"slices"
	"strings"
)

// Listing is what the lists of a plan show: --list-hosts, --list-tasks and
// --list-tags. Any of them may be asked for together, as with
// ansible-playbook.
type Listing struct{ Hosts, Tasks, Tags bool }

// Write writes the listing of p to out as ansible-playbook prints it. Where
// that shows a set in no particular order, such as the hosts, this is sorted.
func (l Listing) Write(out io.Writer, p *Plan) error {
	w := &listing{w: out}
	number, last := 0, ""
	for i, play := range p.Plays {
		if i == 0 || play.Playbook != last || play.first {
			w.printf("\nplaybook: %s\n", play.Playbook)
			number, last = 0, play.Playbook
		}
		number++
		l.play(w, play, number)
	}
	return w.err
}

func (l Listing) play(w *listing, p *Play, number int) {
	w.printf("\n  play #%d (%s): %s\tTAGS: [%s]", number, p.Pattern, p.Name, strings.Join(p.Tags, ","))
	if l.Hosts {
		w.printf("\n    pattern: %s\n    hosts (%d):", pythonList(p.Patterns), len(p.Hosts))
		for _, h := range p.Hosts {
			w.printf("\n      %s", h.Name)
		}
	}
	w.printf("\n")
	if !l.Tasks && !l.Tags {
		return
	}
	if l.Tasks {
		w.printf("    tasks:\n")
	}
	all := slices.Clone(p.Tags)
	for _, section := range p.Sections {
		walkBodies(section, func(t *Task) {
			all = union(all, t.Tags)
			name := t.Title()
			if t.unnamed {
				name = t.Name
			}
			if l.Tasks {
				w.printf("      %s\tTAGS: [%s]\n", name, strings.Join(slices.Sorted(slices.Values(t.Tags)), ", "))
			}
		})
	}
	if l.Tags {
		slices.Sort(all)
		w.printf("      TASK TAGS: [%s]\n", strings.Join(all, ", "))
	}
}

// walkBodies visits the tasks of steps, without those of rescue and always,
// which ansible-playbook does not list.
func walkBodies(steps []Step, visit func(*Task)) {
	for _, s := range steps {
		switch s := s.(type) {
		case *Task:
			visit(s)
		case *Block:
			walkBodies(s.Body, visit)
		}
	}
}

// pythonList writes texts as Python shows a list of them.
func pythonList(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quote := "'"
		if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
			quote = `"`
		} else {
			s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`)
		}
		quoted[i] = quote + s + quote
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
