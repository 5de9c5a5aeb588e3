// Package shlex owns splitting a line into words by the quoting rules of a
// POSIX shell, without expansions, as Python's shlex.split does.
//
// It never knows what the words are for.
package shlex

import (
	"errors"
	"strings"
)

// Errors of an unfinished line.
var (
	ErrQuote  = errors.New("no closing quotation")
	ErrEscape = errors.New("no escaped character")
)

// Options change what counts as a word.
type Options struct {
	Comments bool // an unquoted # ends the line
}

// Split returns the words of line. Quotes may stand anywhere in a word; a
// backslash keeps the next character outside quotes, and within double
// quotes before " and \ only.
func Split(line string, o Options) ([]string, error) {
	var words []string
	var word strings.Builder
	started := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if started {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		case c == '#' && o.Comments:
			// As in Python: it need not stand at the start of a word.
			if end := strings.IndexByte(line[i:], '\n'); end >= 0 {
				i += end - 1
				continue
			}
			i = len(line)
		case c == '\\':
			if i+1 == len(line) {
				return nil, ErrEscape
			}
			i++
			word.WriteByte(line[i])
			started = true
		case c == '\'':
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return nil, ErrQuote
			}
			word.WriteString(line[i+1 : i+1+end])
			i += end + 1
			started = true
		case c == '"':
			n, err := doubleQuoted(line[i+1:], &word)
			if err != nil {
				return nil, err
			}
			i += n
			started = true
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words, nil
}

// doubleQuoted writes the text up to the closing quote to word, and returns
// how many bytes it has taken, the quote included.
func doubleQuoted(s string, word *strings.Builder) (int, error) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, nil
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			word.WriteByte(s[i])
		default:
			word.WriteByte(c)
		}
	}
	return 0, ErrQuote
}
