package inventory

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/vars"
)

// PatternError is a pattern that cannot be used.
type PatternError struct {
	Pattern, Msg, Hint string
}

// Error implements error.
func (e *PatternError) Error() string {
	s := fmt.Sprintf("the pattern %q: %s", e.Pattern, e.Msg)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Select returns the hosts that the pattern selects, as Ansible would, each
// once: first what plain patterns name, then what &patterns leave, then
// without what !patterns name. A plain pattern that matches nothing is warned
// about. localhost need not be in the inventory.
func (inv *Inventory) Select(pattern string) ([]*Host, error) {
	return inv.selectAll(splitPattern(pattern))
}

// SelectList is Select for a pattern that is written as a list.
func (inv *Inventory) SelectList(patterns []string) ([]*Host, error) {
	var all []string
	for _, p := range patterns {
		all = append(all, splitPattern(p)...)
	}
	return inv.selectAll(all)
}

// Limit returns those of hosts that the limit selects, too. An item @FILE
// stands for the lines of a file. A limit that selects nothing at all is an
// error, as is one that says nothing: it would mean every host.
func (inv *Inventory) Limit(hosts []*Host, limit string) ([]*Host, error) {
	var patterns []string
	for _, p := range splitPattern(limit) {
		file, isFile := strings.CutPrefix(p, "@")
		if !isFile {
			patterns = append(patterns, p)
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, &PatternError{limit, err.Error(), "@FILE stands for the lines of a file"}
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" {
				patterns = append(patterns, splitPattern(line)...)
			}
		}
	}
	if len(patterns) == 0 {
		return nil, &PatternError{limit, "the limit names no host", "leave --limit out to mean every host"}
	}
	allowed, err := inv.selectAll(patterns)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(h *Host) bool { return !slices.Contains(allowed, h) }), nil
}

var patternWord = regexp.MustCompile(`(?:[^\s:\[\]]|\[[^\]]*\])+`)

// splitPattern takes a pattern apart as Ansible does: at commas, or else at
// colons, unless all of it is one address.
func splitPattern(pattern string) []string {
	var parts []string
	switch {
	case strings.Contains(pattern, ","):
		parts = strings.Split(pattern, ",")
	case isAddress(strings.TrimSpace(pattern)):
		parts = []string{pattern}
	default:
		parts = patternWord.FindAllString(pattern, -1)
	}
	var out []string
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

func (inv *Inventory) selectAll(patterns []string) ([]*Host, error) {
	var plain, also, but []string
	for _, p := range patterns {
		switch p[0] {
		case '!':
			but = append(but, p[1:])
		case '&':
			also = append(also, p[1:])
		default:
			plain = append(plain, p)
		}
	}
	if len(plain) == 0 {
		plain = []string{allGroup}
	}
	var out []*Host
	seen := map[string]bool{} // by name: there may be several implicit localhosts
	for _, p := range plain {
		found, err := inv.match(p, true)
		if err != nil {
			return nil, err
		}
		for _, h := range found {
			if !seen[h.Name] {
				seen[h.Name] = true
				out = append(out, h)
			}
		}
	}
	for _, list := range []struct {
		patterns []string
		drop     bool // those that match
	}{{also, false}, {but, true}} {
		for _, p := range list.patterns {
			found, err := inv.match(p, true)
			if err != nil {
				return nil, err
			}
			in := make(map[string]bool, len(found))
			for _, h := range found {
				in[h.Name] = true
			}
			out = slices.DeleteFunc(out, func(h *Host) bool { return in[h.Name] == list.drop })
		}
	}
	return out, nil
}

var subscript = regexp.MustCompile(`^(.+)\[(?:(-?[0-9]+)|([0-9]+)([:-])([0-9]*))\]$`)

// match returns the hosts that one pattern without its sign names.
func (inv *Inventory) match(pattern string, warn bool) ([]*Host, error) {
	if h, ok := inv.byName[pattern]; ok {
		return []*Host{h}, nil
	}
	if expr, ok := strings.CutPrefix(pattern, "~"); ok {
		re, err := regexp.Compile("^(?:" + expr + ")")
		if err != nil {
			return nil, &PatternError{pattern, err.Error(), "what follows ~ is a regular expression"}
		}
		return inv.matchNames(pattern, re.MatchString, true, warn), nil
	}
	m := subscript.FindStringSubmatch(pattern)
	base := pattern
	if m != nil {
		base = m[1]
	}
	glob, err := fnmatch(base)
	if err != nil {
		return nil, &PatternError{pattern, err.Error(), ""}
	}
	found := inv.matchNames(base, glob.MatchString, strings.ContainsAny(base, ".?*["), warn)
	if m == nil || len(found) == 0 {
		return found, nil
	}
	return inv.subscript(pattern, m, found)
}

// matchNames returns the hosts of the groups whose names match, and the hosts
// whose names match if no group does or hosts are asked for anyway.
func (inv *Inventory) matchNames(pattern string, matches func(string) bool, alsoHosts, warn bool) []*Host {
	var out []*Host
	seen := map[*Host]bool{}
	add := func(hosts []*Host) {
		for _, h := range hosts {
			if !seen[h] {
				seen[h] = true
				out = append(out, h)
			}
		}
	}
	anyGroup := false
	for _, g := range inv.order {
		if matches(g.name) {
			anyGroup = true
			add(g.members())
		}
	}
	if !anyGroup || alsoHosts {
		for _, h := range inv.hosts {
			if matches(h.Name) {
				add([]*Host{h})
			}
		}
	}
	if len(out) == 0 && (pattern == "localhost" || pattern == "127.0.0.1" || pattern == "::1") {
		return []*Host{inv.implicitLocalhost(pattern)}
	}
	if len(out) == 0 && !anyGroup && pattern != allGroup && warn {
		inv.warn(inv.notMatched(pattern))
	}
	return out
}

func (inv *Inventory) notMatched(pattern string) string {
	text := "could not match the host pattern " + pattern + ", ignoring it"
	names := []string{}
	for _, g := range inv.order {
		names = append(names, g.name)
	}
	for _, h := range inv.hosts {
		names = append(names, h.Name)
	}
	if near := diag.Suggest(pattern, names); near != "" {
		text += "; did you mean " + near + "?"
	}
	return text
}

// subscript takes [n], [a:b] or [a:] of what a pattern has found; both ends
// are included.
func (inv *Inventory) subscript(pattern string, m []string, found []*Host) ([]*Host, error) {
	none := &PatternError{pattern, fmt.Sprintf("there are only %d hosts", len(found)), "the first host is [0]"}
	if m[2] != "" {
		n, err := strconv.Atoi(m[2])
		if n < 0 {
			n += len(found)
		}
		if err != nil || n < 0 || n >= len(found) {
			return nil, none
		}
		return found[n : n+1], nil
	}
	from, err := strconv.Atoi(m[3])
	to := len(found) - 1
	if err == nil && m[5] != "" {
		to, err = strconv.Atoi(m[5])
	}
	if err != nil {
		return nil, none
	}
	if to == 0 && m[5] != "" {
		to = from // as in Ansible
		if from >= len(found) {
			return nil, none
		}
	}
	from, to = min(from, len(found)), min(to, len(found)-1)
	return found[from:max(from, to+1)], nil
}

// implicitLocalhost is this machine, for playbooks that name it although the
// inventory does not.
func (inv *Inventory) implicitLocalhost(name string) *Host {
	h := &Host{Name: name, file: name, inv: inv, own: newLayer(vars.InventoryHost)}
	h.own.Source = "implicit localhost"
	h.own.Values["ansible_connection"] = "local"
	return h
}

// fnmatch translates a shell pattern as Python's fnmatch does.
func fnmatch(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`^(?s:`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '[':
			j := i + 1
			if j < len(pattern) && pattern[j] == '!' {
				j++
			}
			if j < len(pattern) && pattern[j] == ']' {
				j++
			}
			end := strings.IndexByte(pattern[min(j, len(pattern)):], ']')
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			set := strings.ReplaceAll(pattern[i+1:j+end], `\`, `\\`)
			if rest, not := strings.CutPrefix(set, "!"); not {
				set = "^" + rest
			}
			b.WriteString("[" + set + "]")
			i = j + end
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	b.WriteString(`)$`)
	return regexp.Compile(b.String())
}
