package sshconn

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/torrust/runner/internal/shlex"
)

// configFiles are the ssh_config files, read when they are first needed.
type configFiles struct {
	paths []string
	home  string

	once  sync.Once
	rules []rule
	err   error
}

// rule is one line that sets an option, and the conditions under which it
// holds: all of the blocks that it stands in.
type rule struct {
	when        []condition
	name, value string
	pos         string
}

// condition tells whether a block is about a host.
type condition func(h asked) bool

// asked is what conditions are asked about.
type asked struct {
	original string // as it was named
	host     string // after HostName
	user     string
}

const maxIncludes = 16

// lookup returns the options for a host; the first that sets one wins, but
// those that may be given several times are all kept, see ssh_config(5).
func (c *configFiles) lookup(h asked) (options map[string][]string, err error) {
	c.once.Do(func() {
		for _, path := range c.paths {
			if err := c.read(path, nil, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
				c.err = errors.Join(c.err, err)
			}
		}
	})
	if c.err != nil {
		return nil, c.err
	}
	options = map[string][]string{}
	for _, r := range c.rules {
		if _, given := options[r.name]; given && !repeatable(r.name) {
			continue
		}
		holds := true
		for _, w := range r.when {
			holds = holds && w(h)
		}
		if !holds {
			continue
		}
		options[r.name] = append(options[r.name], r.value)
		if r.name == "hostname" {
			h.host = r.value
		}
	}
	return options, nil
}

func repeatable(name string) bool { return name == "identityfile" || name == "certificatefile" }

func (c *configFiles) read(path string, when []condition, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("%s: too many nested Include", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	outer := when
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		name, value, ok := splitOption(lines.Text())
		if !ok {
			continue
		}
		pos := fmt.Sprintf("%s:%d", path, n)
		switch name {
		case "host":
			when = append(outer[:len(outer):len(outer)], hostCondition(strings.Fields(value)))
		case "match":
			cond, err := matchCondition(value)
			if err != nil {
				return fmt.Errorf("%s: %w", pos, err)
			}
			when = append(outer[:len(outer):len(outer)], cond)
		case "include":
			if err := c.include(value, filepath.Dir(path), when, depth); err != nil {
				return fmt.Errorf("%s: %w", pos, err)
			}
		default:
			c.rules = append(c.rules, rule{when, name, value, pos})
		}
	}
	return lines.Err()
}

func (c *configFiles) include(value, _ string, when []condition, depth int) error {
	words, err := shlex.Split(value, shlex.Options{})
	if err != nil {
		return err
	}
	for _, pattern := range words {
		if rest, ok := strings.CutPrefix(pattern, "~/"); ok {
			pattern = filepath.Join(c.home, rest)
		} else if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(c.home, ".ssh", pattern)
		}
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := c.read(path, when, depth+1); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// splitOption reads "Name value", "Name=value" and "Name = value". The name is
// in lower case.
func splitOption(line string) (name, value string, ok bool) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", false
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return strings.ToLower(line), "", true
	}
	name, value = strings.ToLower(line[:end]), strings.TrimSpace(line[end:])
	value = strings.TrimSpace(strings.TrimPrefix(value, "="))
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' && strings.Count(value, `"`) == 2 {
		value = value[1 : len(value)-1]
	}
	return name, value, true
}

func hostCondition(patterns []string) condition {
	return func(h asked) bool { return matchList(patterns, h.original) }
}

// matchList tells whether a name matches one of the patterns and none that is
// negated.
func matchList(patterns []string, name string) bool {
	found := false
	for _, p := range patterns {
		pattern, not := strings.CutPrefix(p, "!")
		if !wildcard(strings.ToLower(pattern), strings.ToLower(name)) {
			continue
		}
		if not {
			return false
		}
		found = true
	}
	return found
}

// wildcard matches * and ? as ssh does; nothing else is special.
func wildcard(pattern, name string) bool {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '*':
			pattern = strings.TrimLeft(pattern, "*")
			for i := 0; i <= len(name); i++ {
				if wildcard(pattern, name[i:]) {
					return true
				}
			}
			return false
		case '?':
			if name == "" {
				return false
			}
		default:
			if name == "" || name[0] != pattern[0] {
				return false
			}
		}
		pattern, name = pattern[1:], name[1:]
	}
	return name == ""
}

// matchCondition reads the criteria of a Match block.
func matchCondition(value string) (condition, error) {
	words := strings.Fields(value)
	var all []condition
	for i := 0; i < len(words); i++ {
		criterion, not := strings.CutPrefix(strings.ToLower(words[i]), "!")
		var c condition
		switch criterion {
		case "all":
			c = func(asked) bool { return true }
		case "final", "canonical":
			c = func(asked) bool { return criterion == "final" }
		case "host", "originalhost", "user":
			if i++; i == len(words) {
				return nil, fmt.Errorf("a pattern is missing behind Match %s", criterion)
			}
			patterns := strings.Split(words[i], ",")
			c = func(h asked) bool {
				name := map[string]string{"host": h.host, "originalhost": h.original, "user": h.user}[criterion]
				return matchList(patterns, name)
			}
		default:
			return nil, fmt.Errorf("the criterion %s of Match is not supported; supported: all, final, host, originalhost, user", criterion)
		}
		all = append(all, func(h asked) bool { return c(h) != not })
	}
	return func(h asked) bool {
		for _, c := range all {
			if !c(h) {
				return false
			}
		}
		return true
	}, nil
}
