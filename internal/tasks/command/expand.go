package command

import (
	"regexp"
	"strings"
)

// variable is $NAME or ${NAME}.
var variable = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// tilde is a home folder at the start of a word.
var tilde = regexp.MustCompile(`^~(?:[a-z_][a-z0-9_-]*)?(?:/|$)`)

// expanding returns a line for the host's shell that runs words with their
// environment variables and home folders expanded, and nothing else: as
// Python's expandvars and expanduser, which Ansible uses. A variable that is
// not set stays as it is written. ok is false if there is nothing to expand.
func expanding(words []string) (line string, ok bool) {
	var b strings.Builder
	b.WriteString("exec")
	for _, word := range words {
		b.WriteByte(' ')
		if home := tilde.FindString(word); home != "" {
			ok = true
			b.WriteString(home)
			word = word[len(home):]
			if word == "" {
				continue
			}
		}
		at := 0
		for _, m := range variable.FindAllStringSubmatchIndex(word, -1) {
			ok = true
			name := word[max(m[2], m[4]):max(m[3], m[5])]
			written := strings.NewReplacer("$", `\$`, "}", `\}`).Replace(word[m[0]:m[1]])
			b.WriteString(quote(word[at:m[0]]) + `"${` + name + `-` + written + `}"`)
			at = m[1]
		}
		if at < len(word) || word == "" {
			b.WriteString(quote(word[at:]))
		}
	}
	return b.String(), ok
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
