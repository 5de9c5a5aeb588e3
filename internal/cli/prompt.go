package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/torrust/runner/internal/redact"
)

// secrets gets secrets from the person who runs the command, and makes sure
// that none of them is shown afterwards. It asks one question at a time; its
// callers see to that.
type secrets struct {
	s     *streams
	lines *bufio.Reader // of stdin, if that is no terminal
	set   *redact.Set
}

func newSecrets(s *streams, set *redact.Set) *secrets {
	return &secrets{s: s, lines: bufio.NewReader(s.in), set: set}
}

// ask asks for a secret on stderr. Without a terminal the next line of stdin
// is the answer.
func (a *secrets) ask(question string) (string, error) {
	answer, err := a.read(question)
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.TrimSuffix(question, ": "), err)
	}
	a.set.Add(answer)
	return answer, nil
}

func (a *secrets) read(question string) (string, error) {
	if fd, ok := terminal(a.s.in); ok {
		fmt.Fprint(a.s.err, question)
		answer, err := term.ReadPassword(fd)
		fmt.Fprintln(a.s.err)
		return string(answer), err
	}
	line, err := a.lines.ReadString('\n')
	if line == "" && errors.Is(err, io.EOF) {
		return "", errors.New("there is nobody to ask, and nothing on standard input")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// file reads a secret from the first line of a file.
func (a *secrets) file(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret, _, _ := strings.Cut(string(text), "\n")
	secret = strings.TrimRight(secret, "\r")
	a.set.Add(secret)
	return secret, nil
}
