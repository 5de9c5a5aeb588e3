package lineinfile

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// edit returns the content as it is to be, what was done, and how many lines
// state absent takes out.
func (t *task) edit(content string) (after, msg string, found int) {
	lines := slices.Collect(strings.Lines(content))
	if t.State == "absent" {
		return t.remove(lines)
	}
	if at := t.find(lines); at >= 0 {
		line := t.Line
		if t.Backrefs {
			line = t.fill(bare(lines[at]))
		}
		if bare(lines[at]) == line {
			return content, "", 0
		}
		lines[at] = line + ending(lines[at])
		return strings.Join(lines, ""), "line replaced", 0
	}
	if t.Backrefs || slices.ContainsFunc(lines, func(l string) bool { return bare(l) == t.Line }) {
		return content, "", 0
	}
	return t.insert(lines), "line added", 0
}

func bare(line string) string { return strings.TrimRight(line, "\r\n") }

func ending(line string) string { return line[len(bare(line)):] }

// find returns the last line that regexp or search_string finds, else -1.
func (t *task) find(lines []string) int {
	matches := t.matcher()
	if matches == nil {
		return -1
	}
	for i, line := range slices.Backward(lines) {
		if matches(bare(line)) {
			return i
		}
	}
	return -1
}

func (t *task) matcher() func(string) bool {
	switch {
	case t.Regexp != "":
		return regexp.MustCompile(t.Regexp).MatchString
	case t.Search != "":
		return func(line string) bool { return strings.Contains(line, t.Search) }
	}
	return nil
}

var backref = regexp.MustCompile(`\\(\d+|g<\w+>)`)

// fill puts the groups that regexp finds in line into t.Line. Python writes
// them \1 and \g<name>, Go ${1}.
func (t *task) fill(line string) string {
	re := regexp.MustCompile(t.Regexp)
	template := backref.ReplaceAllStringFunc(strings.ReplaceAll(t.Line, "$", "$$"), func(ref string) string {
		return "${" + strings.Trim(ref[1:], "g<>") + "}"
	})
	return string(re.ExpandString(nil, template, line, re.FindStringSubmatchIndex(line)))
}

// insert adds the line where it belongs.
func (t *task) insert(lines []string) string {
	newline := t.Line + "\n"
	if at := t.place(lines); at >= 0 && at < len(lines) {
		return strings.Join(slices.Insert(lines, at, newline), "")
	}
	if n := len(lines); n > 0 && ending(lines[n-1]) == "" {
		lines[n-1] += "\n"
	}
	return strings.Join(lines, "") + newline
}

// place returns the index at which the line goes in, -1 for the end.
func (t *task) place(lines []string) int {
	switch {
	case t.InsertBefore == "BOF":
		return 0
	case t.InsertBefore != "":
		return t.anchor(lines, t.InsertBefore)
	case t.InsertAfter != "" && t.InsertAfter != "EOF":
		if at := t.anchor(lines, t.InsertAfter); at >= 0 {
			return at + 1
		}
	}
	return -1
}

func (t *task) anchor(lines []string, expr string) int {
	matches := regexp.MustCompile(expr).MatchString
	first := slices.IndexFunc(lines, func(l string) bool { return matches(bare(l)) })
	if t.FirstMatch {
		return first
	}
	for i, line := range slices.Backward(lines) {
		if matches(bare(line)) {
			return i
		}
	}
	return -1
}

func (t *task) remove(lines []string) (after, msg string, found int) {
	matches := t.matcher()
	if matches == nil {
		matches = func(line string) bool { return line == t.Line }
	}
	kept := slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return matches(bare(l)) })
	if found = len(lines) - len(kept); found > 0 {
		msg = plural(found) + " removed"
	}
	return strings.Join(kept, ""), msg, found
}

// plural counts as Ansible does: "1 line(s)".
func plural(n int) string { return strconv.Itoa(n) + " line(s)" }
