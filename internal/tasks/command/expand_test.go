package command

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the shell makes of the line is what Python's expandvars and expanduser
// make of the words.
func TestExpanding(t *testing.T) {
	t.Parallel()
	home := os.Getenv("HOME")
	for _, c := range []struct{ word, want string }{
		{"$A", "va lue*"}, {"${A}", "va lue*"}, {"x$A.y", "xva lue*.y"}, {"'$A'", "'va lue*'"}, {`"${A}"`, `"va lue*"`},
		{"$UNSET_X", "$UNSET_X"}, {"${UNSET_X}z", "${UNSET_X}z"}, {"$EMPTY", ""}, {"$", "$"}, {"$1 $$ ${ ${}", "$1 $$ ${ ${}"},
		{"$A$A", "va lue*va lue*"}, {"`id` $(id) $A", "`id` $(id) va lue*"}, {`\$A`, `\va lue*`}, {"~", home}, {"~/x y", home + "/x y"},
		{"~nobody-of-that-name/x", "~nobody-of-that-name/x"}, {"a~", "a~"}, {"~$A", "~va lue*"}, {"", ""}, {"*", "*"}, {"$A\n", "va lue*\n"},
	} {
		words := []string{"printf", "%s|", c.word, "$A"}
		line, ok := expanding(words)
		require.True(t, ok)
		for _, shell := range []string{"sh", "bash"} {
			path, err := exec.LookPath(shell)
			if err != nil {
				continue
			}
			cmd := exec.CommandContext(t.Context(), path, "-c", line)
			cmd.Env = []string{"A=va lue*", "EMPTY=", "HOME=" + home, "PATH=" + os.Getenv("PATH")}
			out, err := cmd.Output()
			require.NoError(t, err, line)
			assert.Equal(t, c.want+"|va lue*|", string(out), "%s: %s", shell, line)
		}
	}
	for _, words := range [][]string{{"ls", "-l"}, {"a", "b~", "$1"}, {"~$X"[:1] + "!"}} {
		_, ok := expanding(words)
		assert.False(t, ok, strings.Join(words, " "))
	}
}
