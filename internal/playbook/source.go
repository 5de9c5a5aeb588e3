package playbook

import (
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Sources holds the lines of files by their paths, to find places within
// scalars.
type Sources map[string][]string

// At returns the place in the file of the byte at offset of n's text. It is
// exact for scalars on one line and for literal blocks; for others it is the
// beginning of the scalar.
func (s Sources) At(n *strictyaml.Node, offset int) diag.Pos {
	return s.Within(n.Pos, n.Text, offset)
}

// Within is At for the text of a scalar that begins at pos.
func (s Sources) Within(pos diag.Pos, text string, offset int) diag.Pos {
	line, ok := s.line(pos)
	if !ok || pos.Col < 1 || pos.Col > len(line) || offset < 0 || offset > len(text) {
		return pos
	}
	rest := line[pos.Col-1:]
	switch rest[0] {
	case '\'', '"':
		at := quotedOffset(rest, offset)
		if at < len(rest) {
			pos.Col += at
		}
	case '|':
		return s.inBlock(pos, text, offset)
	case '>', '!', '&':
	default:
		first, _, _ := strings.Cut(text, "\n")
		if strings.HasPrefix(rest, first) && offset <= len(first) {
			pos.Col += offset
		}
	}
	return pos
}

// quotedOffset returns where the character at offset of the unquoted text
// stands in raw, which begins with a quote. An escape counts as one byte,
// which is right for all that people escape in practice.
func quotedOffset(raw string, offset int) int {
	quote := raw[0]
	i := 1
	for ; offset > 0 && i < len(raw); offset-- {
		switch {
		case quote == '\'' && strings.HasPrefix(raw[i:], "''"), quote == '"' && raw[i] == '\\':
			i += 2
		default:
			i++
		}
	}
	return i
}

// inBlock finds a place in a literal block, whose lines follow the | with a
// common indentation.
func (s Sources) inBlock(pos diag.Pos, text string, offset int) diag.Pos {
	before := text[:offset]
	row := strings.Count(before, "\n")
	col := offset - (strings.LastIndexByte(before, '\n') + 1)
	rows := strings.Split(text, "\n")
	at := diag.Pos{File: pos.File, Line: pos.Line + 1 + row}
	line, ok := s.line(at)
	if !ok || row >= len(rows) || !strings.HasSuffix(line, rows[row]) {
		return pos
	}
	at.Col = len(line) - len(rows[row]) + col + 1
	return at
}

func (s Sources) line(pos diag.Pos) (string, bool) {
	lines := s[pos.File]
	if pos.Line < 1 || pos.Line > len(lines) {
		return "", false
	}
	return strings.TrimSuffix(lines[pos.Line-1], "\r"), true
}
