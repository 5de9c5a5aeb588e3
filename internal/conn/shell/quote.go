// Package shell owns how a command becomes one line for a POSIX shell, how it
// is started as another user, and how it is ended with all that it started.
// What carries the line to a host is handed in.
//
// It never knows SSH.
package shell

import (
	"strings"
)

// Quote returns s as one word of a POSIX shell (XCU 2.2.2: nothing is special
// within single quotes but the single quote).
func Quote(s string) string {
	if s != "" && strings.Trim(s, plainChars) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// plainChars need no quotes anywhere in a word.
const plainChars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%"

// Join quotes words and puts blanks between them.
func Join(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = Quote(w)
	}
	return strings.Join(quoted, " ")
}
