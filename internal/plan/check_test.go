package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/playbook"
)

// TestSyntaxErrorsKnowTheirPlaces gives the mistake that begins at "!" in the
// text of a scalar its place in the file.
func TestSyntaxErrorsKnowTheirPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, text, want string }{
		{"key: a !b", "a !b", "f:1:8"},
		{"key: 'it''s !b'", "it's !b", "f:1:13"},
		{`key: "say \"x\" !b"`, `say "x" !b`, "f:1:17"},
		{"key: |\n    one\n    two !b\n", "one\ntwo !b\n", "f:3:9"},
		{"key: |-\n  one !b", "one !b", "f:2:7"},
		{"key: >\n  one\n  !b\n", "one !b\n", "f:1:6"}, // folded: the scalar
		{"key: one\n  !b", "one !b", "f:1:6"},          // over two lines: the scalar
		{"key: !tag a !b", "a !b", "f:1:6"},            // tagged: the scalar
	} {
		b := &builder{sources: playbook.Sources{"f": strings.Split(c.source, "\n")}}
		at := strings.Index(c.text, "!")
		before := c.text[:at]
		row := strings.Count(before, "\n")
		col := at - strings.LastIndexByte(before, '\n')
		b.syntax(diag.Pos{File: "f", Line: 1, Col: 6}, c.text, diag.List{diag.Errorf(diag.Pos{Line: row + 1, Col: col}, "wrong")})
		assert.Equal(t, c.want+": wrong", b.errs[0].Error(), c.source)
	}
	b := &builder{}
	b.syntax(diag.Pos{File: "f", Line: 1, Col: 6}, "x", errors.New("somewhere"))
	assert.Equal(t, "f:1:6: somewhere", b.errs[0].Error())
}
