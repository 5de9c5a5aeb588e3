package inventory

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// defaultMaxRange is how many hosts one name may stand for.
const defaultMaxRange = 100_000

// expandHost splits a port off a name and expands its ranges: "web[1:3].x:22"
// is web1.x, web2.x and web3.x with port 22. The port is 0 if there is none.
func expandHost(text string, limit int) (names []string, port int64, err error) {
	name, port := splitPort(text)
	if strings.HasSuffix(name, ":") || name == "" {
		return nil, 0, fmt.Errorf("%q is not the name of a host", text)
	}
	names, err = expandRanges(name, limit)
	return names, port, err
}

var (
	bracketed = regexp.MustCompile(`^\[(.+)\]:(\d+)$`)
	withPort  = regexp.MustCompile(`^((?:[^:\[\]]|\[[^\]]*\])*):(\d+)$`)
)

// splitPort takes host:port and [address]:port apart.
func splitPort(text string) (name string, port int64) {
	for _, re := range []*regexp.Regexp{bracketed, withPort} {
		if m := re.FindStringSubmatch(text); m != nil {
			if n, err := strconv.ParseInt(m[2], 10, 32); err == nil {
				return m[1], n
			}
		}
	}
	return text, 0
}

// expandRanges expands the leftmost range first, as Ansible does.
func expandRanges(name string, limit int) ([]string, error) {
	open := strings.IndexByte(name, '[')
	if open < 0 {
		return []string{name}, nil
	}
	end := strings.IndexByte(name[open:], ']')
	if end < 0 || !strings.Contains(name[open:open+end], ":") {
		return []string{name}, nil
	}
	head, tail := name[:open], name[open+end+1:]
	middle, err := expandRange(name[open+1:open+end], limit)
	if err != nil {
		return nil, fmt.Errorf("the range of %q: %w", name, err)
	}
	rest, err := expandRanges(tail, limit)
	if err != nil {
		return nil, err
	}
	if len(middle)*len(rest) > limit {
		return nil, tooMany(len(middle)*len(rest), limit)
	}
	out := make([]string, 0, len(middle)*len(rest))
	for _, m := range middle {
		for _, r := range rest {
			out = append(out, head+m+r)
		}
	}
	return out, nil
}

func tooMany(count, limit int) error {
	return fmt.Errorf("it stands for %d hosts, at most %d are allowed; RUNNER_MAX_RANGE raises that", count, limit)
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// expandRange expands beg:end or beg:end:step, both ends included.
func expandRange(text string, limit int) ([]string, error) {
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return nil, errors.New("it must be begin:end or begin:end:step")
	}
	beg, end, step := parts[0], parts[1], 1
	if beg == "" {
		beg = "0"
	}
	if end == "" {
		return nil, errors.New("it needs an end")
	}
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not a step", parts[2])
		}
		step = n
	}
	if i, j := strings.Index(letters, beg), strings.Index(letters, end); len(beg) == 1 && len(end) == 1 && i >= 0 && j >= 0 {
		if i > j {
			return nil, errors.New("its end is before its begin")
		}
		var out []string
		for ; i <= j; i += step {
			out = append(out, letters[i:i+1])
		}
		return out, nil
	}
	from, errFrom := strconv.Atoi(beg)
	to, errTo := strconv.Atoi(end)
	if errFrom != nil || errTo != nil {
		return nil, fmt.Errorf("%q is neither numbers nor letters", text)
	}
	width := 0
	if len(beg) > 1 && beg[0] == '0' {
		if len(beg) != len(end) {
			return nil, errors.New("both ends must have the same width")
		}
		width = len(beg)
	}
	if (to-from)/step >= limit {
		return nil, tooMany((to-from)/step+1, limit)
	}
	var out []string
	for n := from; n <= to; n += step {
		out = append(out, fmt.Sprintf("%0*d", width, n))
	}
	return out, nil
}
