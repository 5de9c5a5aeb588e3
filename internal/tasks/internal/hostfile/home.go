package hostfile

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/tasks"
)

// userName is what may follow ~ in a path.
var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]*$`)

// Home returns path with a leading ~ or ~user as the home folder of the user
// that the task runs as, or of that user. Any other path comes back as it is,
// without asking the host.
func Home(ctx context.Context, h tasks.Host, path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if !ok {
		return path, nil
	}
	user, below, _ := strings.Cut(rest, "/")
	script := `printf %s "$HOME"`
	if user != "" {
		if !userName.MatchString(user) {
			return path, nil
		}
		script = "printf %s ~" + user
	}
	var home strings.Builder
	if err := h.Conn.Run(ctx, conn.Cmd{Argv: conn.Shell(script), Stdout: &home}); err != nil {
		return "", err
	}
	if !strings.HasPrefix(home.String(), "/") {
		return "", fmt.Errorf("%s: the host knows no such home folder", path)
	}
	if below == "" && !strings.HasSuffix(path, "/") {
		return home.String(), nil
	}
	return strings.TrimSuffix(home.String(), "/") + "/" + below, nil
}
