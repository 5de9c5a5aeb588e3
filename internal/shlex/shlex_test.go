package shlex

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The wants are what Python's shlex.split(line, comments) returns.
func TestSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line     string
		comments bool
		want     []string
		err      error
	}{
		{"", false, nil, nil},
		{"  a  b\tc\n", false, []string{"a", "b", "c"}, nil},
		{`a 'b c' "d e"`, false, []string{"a", "b c", "d e"}, nil},
		{`a''b "" ''`, false, []string{"ab", "", ""}, nil},
		{`x="'1'"`, false, []string{"x='1'"}, nil},
		{`a\ b \"c\"`, false, []string{"a b", `"c"`}, nil},
		{`"a\"b\\c\d"`, false, []string{`a"b\c\d`}, nil},
		{`'a\b'`, false, []string{`a\b`}, nil},
		{`a #b`, false, []string{"a", "#b"}, nil},
		{`a #b c`, true, []string{"a"}, nil},
		{`a#b c`, true, []string{"a"}, nil},
		{"a # b\nc", true, []string{"a", "c"}, nil},
		{`'a # b' "# c"`, true, []string{"a # b", "# c"}, nil},
		{`a "b`, false, nil, ErrQuote},
		{`a 'b`, false, nil, ErrQuote},
		{`a \`, false, nil, ErrEscape},
		{"é 'ü ñ'", false, []string{"é", "ü ñ"}, nil},
	} {
		got, err := Split(c.line, Options{Comments: c.comments})
		assert.Equal(t, c.err, err, "%q", c.line)
		assert.Equal(t, c.want, got, "%q", c.line)
	}
}
