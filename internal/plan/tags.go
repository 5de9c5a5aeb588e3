package plan

import "slices"

// choice is which tasks run by their tags.
type choice struct{ only, skip []string }

func newChoice(only, skip []string) choice {
	if len(only) == 0 {
		only = []string{"all"}
	}
	return choice{only, skip}
}

// runs reports whether a task with tags is chosen (evaluate_tags in Ansible's
// playbook/taggable.py).
func (c choice) runs(tags []string) bool {
	if len(tags) == 0 {
		tags = []string{"untagged"}
	}
	has := func(list []string, tag string) bool { return slices.Contains(list, tag) }
	overlaps := func(list []string) bool {
		return slices.ContainsFunc(list, func(t string) bool { return has(tags, t) })
	}
	tagged := !slices.Equal(tags, []string{"untagged"})
	always, never := has(tags, "always"), has(tags, "never")

	chosen := always || has(c.only, "all") && !never || overlaps(c.only) ||
		has(c.only, "tagged") && tagged && !never
	if !chosen {
		return false
	}
	switch {
	case has(c.skip, "all"):
		return always && !has(c.skip, "always")
	case overlaps(c.skip):
		return false
	case has(c.skip, "tagged") && tagged:
		return false
	}
	return true
}
