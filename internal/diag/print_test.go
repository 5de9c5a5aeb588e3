package diag_test

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/torrust/runner/internal/diag"
)

func printed(source string, color bool, err error) (string, int) {
	var out bytes.Buffer
	p := diag.Printer{W: &out, Color: color, Source: func(file string) ([]byte, error) {
		if file != "site.yml" {
			return nil, fs.ErrNotExist
		}
		return []byte(source), nil
	}}
	n := p.Print(err)
	return out.String(), n
}

func TestPrint(t *testing.T) {
	t.Parallel()
	at := func(line, col int) diag.Pos { return diag.Pos{File: "site.yml", Line: line, Col: col} }
	const source = "---\n\t- hots: all\r\nmysql_passwrd: hunter22\nesc: \x1b[2J x\n"
	tests := map[string]struct {
		err  error
		want string
	}{
		"with a hint": {
			diag.Errorf(at(2, 4), `unknown key "hots"`).WithHint("did you mean %q?\nor not", "hosts"),
			"site.yml:2:4: unknown key \"hots\"\n    2 | \t- hots: all\n      | \t  ^\n  hint: did you mean \"hosts\"?\n        or not\n",
		},
		"a secret is not shown": {
			diag.Errorf(at(3, 1), "unknown key"),
			"site.yml:3:1: unknown key\n    3 | mysql_passwrd: ********\n      | ^\n",
		},
		"escapes are not passed on": {
			diag.Errorf(at(4, 8), "odd"),
			"site.yml:4:8: odd\n    4 | esc: \uFFFD[2J x\n      |        ^\n",
		},
		"column beyond the line":  {diag.Errorf(at(1, 99), "x"), "site.yml:1:99: x\n    1 | ---\n      |    ^\n"},
		"line beyond the file":    {diag.Errorf(at(99, 1), "x"), "site.yml:99:1: x\n"},
		"no column":               {diag.Errorf(at(1, 0), "x"), "site.yml:1: x\n    1 | ---\n"},
		"no line":                 {diag.Errorf(diag.Pos{File: "site.yml"}, "x"), "site.yml: x\n"},
		"no file":                 {diag.Errorf(diag.Pos{}, "x"), "x\n"},
		"file that is gone":       {diag.Errorf(diag.Pos{File: "gone.yml", Line: 1, Col: 1}, "x"), "gone.yml:1:1: x\n"},
		"no mistake in a file":    {errors.New("x"), ""},
		"the same mistake, twice": {errors.Join(diag.Errorf(diag.Pos{}, "x"), diag.Errorf(diag.Pos{}, "x")), "x\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, n := printed(source, false, tt.err)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.want != "", n == 1)
		})
	}
}

func TestPrintCutsLongLines(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("a", 500) + "X" + strings.Repeat("b", 500)
	got, _ := printed(line, false, diag.Errorf(diag.Pos{File: "site.yml", Line: 1, Col: 501}, "x"))
	lines := strings.Split(got, "\n")
	assert.Equal(t, strings.IndexByte(strings.ReplaceAll(lines[1], "…", "."), 'X'), strings.IndexByte(lines[2], '^'))
	assert.LessOrEqual(t, len([]rune(lines[1])), 8+120)
}

func TestPrintInColour(t *testing.T) {
	t.Parallel()
	got, _ := printed("x", true, diag.Errorf(diag.Pos{File: "site.yml", Line: 1, Col: 1}, "bad"))
	assert.Contains(t, got, "\x1b[1;31mbad\x1b[0m")
	assert.Contains(t, got, "\x1b[1;31m^\x1b[0m")
}
