package playbook

import (
	"strings"

	"github.com/torrust/runner/internal/strictyaml"
)

// word is one word of the short form of arguments.
type word struct {
	text  string // as written, with its quotes
	start int
}

// words splits the short form of arguments at blanks that stand neither in
// quotes nor in a template (split_args in Ansible's parsing/splitter.py).
func (l *loader) words(n *strictyaml.Node) ([]word, bool) {
	words, open, at := splitWords(n.Text)
	switch open {
	case "":
		return words, true
	case "'", `"`:
		l.errs.Addf(l.sources.At(n, at), "this quote has no end").WithHint("close it, or write the arguments as a mapping")
	default:
		l.errs.Addf(l.sources.At(n, at), "this %s has no end", open)
	}
	return nil, false
}

// splitWords returns the words of s, or what was left open, and where.
func splitWords(s string) (words []word, open string, at int) {
	start, closing := -1, ""
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case closing != "":
			if strings.HasPrefix(s[i:], closing) && (len(closing) > 1 || s[i-1] != '\\') {
				i += len(closing) - 1
				open, closing = "", ""
			}
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if start >= 0 {
				words = append(words, word{s[start:i], start})
				start = -1
			}
		default:
			if start < 0 {
				start = i
			}
			open, closing = opening(s, i)
			at = i
			if len(open) > 1 {
				i++
			}
		}
	}
	if start >= 0 {
		words = append(words, word{s[start:], start})
	}
	return words, open, at
}

// opening returns what begins at s[i] and swallows blanks, and what ends it.
func opening(s string, i int) (open, closing string) {
	switch {
	case (s[i] == '\'' || s[i] == '"') && (i == 0 || s[i-1] != '\\'):
		return s[i : i+1], s[i : i+1]
	case strings.HasPrefix(s[i:], "{{"):
		return "{{", "}}"
	case strings.HasPrefix(s[i:], "{%"):
		return "{%", "%}"
	case strings.HasPrefix(s[i:], "{#"):
		return "{#", "#}"
	}
	return "", ""
}

// unquote takes the quotes away that stand around the whole of s.
func unquote(s string) string {
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] && s[len(s)-2] != '\\' {
		return s[1 : len(s)-1]
	}
	return s
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return words[0]
	}
	return s
}
