package find

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// filter returns what decides whether a file is listed; now is the host's
// clock.
func (t *task) filter(now float64) (func(entry) bool, error) {
	age, err := parseLimit("age", t.Age, ageUnits)
	if err != nil {
		return nil, err
	}
	size, err := parseLimit("size", t.Size, sizeUnits)
	if err != nil {
		return nil, err
	}
	wanted, err := t.names(t.Patterns)
	if err != nil {
		return nil, err
	}
	unwanted, err := t.names(t.Excludes)
	if err != nil {
		return nil, err
	}
	return func(e entry) bool {
		name := path.Base(e.path)
		stamp := map[string]float64{"mtime": e.Mtime, "atime": e.Atime, "ctime": e.Ctime}[t.AgeStamp]
		return t.ofType(e) && (t.Hidden || !strings.HasPrefix(name, ".")) && age.admits(now-stamp) &&
			(size == nil || e.IsRegular() && size.admits(float64(e.Size))) &&
			(len(wanted) == 0 || matchesAny(wanted, name)) && !matchesAny(unwanted, name)
	}, nil
}

func (t *task) ofType(e entry) bool {
	switch t.Type {
	case "file":
		return e.IsRegular()
	case "directory":
		return e.IsDir()
	case "link":
		return e.IsLink()
	}
	return true
}

func matchesAny(patterns []*regexp.Regexp, name string) bool {
	return slices.ContainsFunc(patterns, func(re *regexp.Regexp) bool { return re.MatchString(name) })
}

// names compiles patterns for whole names.
func (t *task) names(patterns []string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, p := range patterns {
		expr := p
		if !t.UseRegex {
			expr = fromGlob(p)
		}
		re, err := regexp.Compile(`^(?s:` + expr + `)$`)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", p, err)
		}
		out = append(out, re)
	}
	return out, nil
}

// fromGlob translates a glob as Python's fnmatch does. A bracket without its
// end is a plain character.
func fromGlob(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch glob[i] {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			end := strings.IndexByte(glob[min(i+2, len(glob)):], ']')
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			set := glob[i+1 : i+2+end]
			i += 2 + end
			negated := strings.HasPrefix(set, "!")
			set = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, "^", `\^`).Replace(strings.TrimPrefix(set, "!"))
			if negated {
				set = "^" + set
			}
			b.WriteString("[" + set + "]")
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	return b.String()
}

// limit is a bound: at least n, or at most if below is set.
type limit struct {
	n     float64
	below bool
}

func (l *limit) admits(v float64) bool {
	if l == nil {
		return true
	}
	if l.below {
		return v <= l.n
	}
	return v >= l.n
}

var quantity = regexp.MustCompile(`^(-?)(\d+)([a-z]?)[a-z]*$`)

// parseLimit reads "10m" by the units; nil for the empty text.
func parseLimit(what, text string, units map[string]float64) (*limit, error) {
	if text == "" {
		return nil, nil
	}
	m := quantity.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil || units[m[3]] == 0 {
		return nil, fmt.Errorf("%s %q is not a number with a unit such as 10m", what, text)
	}
	n, err := strconv.ParseFloat(m[2], 64)
	return &limit{n: n * units[m[3]], below: m[1] == "-"}, err
}

var (
	ageUnits  = map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
	sizeUnits = map[string]float64{"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
)
