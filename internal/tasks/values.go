package tasks

import (
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes. It reads "4096", "4KiB", "1.5 GB", "10M"; K, M,
// G and T alone are powers of 1024, as in ls and du.
type Size int64

// ParseSize reads a Size.
func ParseSize(s string) (Size, error) {
	s = strings.TrimSpace(s)
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		i = len(s)
	}
	n, err := strconv.ParseFloat(s[:i], 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size such as 4KiB or 10M", s)
	}
	unit, ok := map[string]float64{
		"": 1, "b": 1,
		"k": 1 << 10, "kib": 1 << 10, "kb": 1e3,
		"m": 1 << 20, "mib": 1 << 20, "mb": 1e6,
		"g": 1 << 30, "gib": 1 << 30, "gb": 1e9,
		"t": 1 << 40, "tib": 1 << 40, "tb": 1e12,
	}[strings.ToLower(strings.TrimSpace(s[i:]))]
	if !ok || n*unit > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is not a size such as 4KiB or 10M", s)
	}
	return Size(n * unit), nil
}

// String returns s for people: "97.3 MiB".
func (s Size) String() string {
	const units = "KMGTPE"
	f, u := float64(s), -1
	for f >= 1023.95 && u < len(units)-1 && (u >= 0 || f >= 1024) { // never "1024.0 KiB"
		f, u = f/1024, u+1
	}
	if u < 0 {
		return fmt.Sprintf("%d B", int64(s))
	}
	return fmt.Sprintf("%.1f %ciB", f, units[u])
}

// ParseDuration reads "1s", "1m30s", "500ms", or a number of seconds.
func ParseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		if math.Abs(f) > 1e9 || math.IsNaN(f) {
			return 0, fmt.Errorf("%q is out of range", s)
		}
		return time.Duration(f * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration such as 30s or 1m30s", s)
	}
	return d, nil
}

// Mode is a file mode in octal, "0644", or as YAML reads 0644: the number
// 420. The empty Mode means "not given".
type Mode string

// Bits returns the mode, or fallback if it is empty.
func (m Mode) Bits(fallback fs.FileMode) (fs.FileMode, error) {
	if m == "" {
		return fallback, nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(string(m), "0o"), 8, 32)
	if err != nil || n > 0o7777 {
		return 0, fmt.Errorf(`%q is not a mode such as "0640"`, string(m))
	}
	mode := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= flag
		}
	}
	return mode, nil
}

// Expr is a parameter that is a bare expression, evaluated by the task.
type Expr struct {
	Text string
	eval func(string) (any, error)
}

// Value evaluates the expression. The zero Expr is nil.
func (e Expr) Value() (any, error) {
	if e.Text == "" {
		return nil, nil
	}
	return e.eval(e.Text)
}

// True evaluates the expression as a condition. Nothing, zero and what is
// empty are false, as in Jinja. Text must say yes or no: that "false" would be
// true is a trap.
func (e Expr) True() (bool, error) {
	v, err := e.Value()
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case int64:
		return v != 0, nil
	case int:
		return v != 0, nil
	case float64:
		return v != 0, nil
	case []any:
		return len(v) > 0, nil
	case map[string]any:
		return len(v) > 0, nil
	}
	b, err := boolean(v)
	if err != nil {
		return false, fmt.Errorf("the value of %q %w", e.Text, err)
	}
	return b, nil
}
