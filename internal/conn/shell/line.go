package shell

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/conn"
)

// script returns the text that /bin/sh runs: it tells its process ID as the
// first line of its output, and then becomes the command. The ID is how the
// command can be ended later, whoever it runs as.
func script(c conn.Cmd) (string, error) {
	if len(c.Argv) == 0 {
		return "", errors.New("there is no command to run")
	}
	var b strings.Builder
	b.WriteString("echo $$;")
	if c.Dir != "" {
		b.WriteString(" cd " + Quote(dashSafe(c.Dir)) + " || exit 1;")
	}
	b.WriteString(" exec ")
	if len(c.Env) > 0 {
		b.WriteString("env ")
		for _, name := range slices.Sorted(maps.Keys(c.Env)) {
			b.WriteString(Quote(name+"="+c.Env[name]) + " ")
		}
	}
	b.WriteString(Join(c.Argv))
	for _, word := range []string{c.Dir, b.String()} {
		if strings.ContainsRune(word, 0) {
			return "", errors.New("a command cannot have a NUL byte in it")
		}
	}
	return b.String(), nil
}

// dashSafe keeps a path that begins with a dash from being an option.
func dashSafe(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}

// line returns the command line for the login user's shell. prompt is what
// sudo prints when it wants a password.
func line(c conn.Cmd, b conn.Become, prompt string) (string, error) {
	text, err := script(c)
	if err != nil {
		return "", err
	}
	inner := []string{"/bin/sh", "-c", text}
	if b == (conn.Become{}) {
		return "exec " + Join(inner), nil
	}
	user := cmp.Or(b.User, "root")
	exe := Quote(cmp.Or(b.Exe, b.Method, "sudo"))
	switch cmp.Or(b.Method, "sudo") {
	case "sudo":
		flags := cmp.Or(b.Flags, "-H")
		if b.Password == "" {
			flags += " -n"
		} else {
			flags += " -S -p " + Quote(prompt)
		}
		return "exec " + exe + " " + flags + " -u " + Quote(user) + " -- " + Join(inner), nil
	case "su":
		return "exec " + exe + " " + b.Flags + " " + Quote(user) + " -c " + Quote("exec "+Join(inner)), needsTerminal(b)
	case "doas":
		return "exec " + exe + " -n " + b.Flags + " -u " + Quote(user) + " " + Join(inner), needsTerminal(b)
	}
	return "", errors.New("become_method " + b.Method + " is not supported; one of: sudo, su, doas")
}

func needsTerminal(b conn.Become) error {
	if b.Password == "" {
		return nil
	}
	return errors.New(b.Method + " asks for its password on a terminal, and there is none; use sudo, or allow it without a password")
}
