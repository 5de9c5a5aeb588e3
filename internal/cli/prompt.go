package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/redact"
)

// secrets gets secrets from the person who runs the command, and makes sure
// that none of them is shown afterwards. It asks one question at a time; its
// callers see to that.
type secrets struct {
	s     *streams
	lines *bufio.Reader // of stdin, if that is no terminal
	set   *redact.Set

	mu      sync.Mutex
	phrases map[string]string // of private keys, by file
}

func newSecrets(s *streams, set *redact.Set) *secrets {
	return &secrets{s: s, lines: bufio.NewReader(s.in), set: set, phrases: map[string]string{}}
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
	return a.line()
}

// line reads the next line of stdin.
func (a *secrets) line() (string, error) {
	line, err := a.lines.ReadString('\n')
	if line == "" && errors.Is(err, io.EOF) {
		return "", errors.New("there is nobody to ask, and nothing on standard input")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// passphrase asks for the passphrase of a private key, once for each.
func (a *secrets) passphrase(file string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, ok := a.phrases[file]; ok {
		return known, nil
	}
	answer, err := a.ask("Passphrase of " + file + ": ")
	if err == nil {
		a.phrases[file] = answer
	}
	return answer, err
}

// variable asks for a variable of vars_prompt.
func (a *secrets) variable(p plan.Prompt) (string, error) {
	question := cmp.Or(p.Text, p.Name)
	fallback := ""
	if p.Default != nil {
		fallback = p.Default.Text
		if !p.Private {
			question += " [" + fallback + "]"
		}
	}
	read := a.visible
	if p.Private {
		read = a.ask
	}
	answer, err := read(question + ": ")
	if err == nil && p.Confirm {
		var again string
		if again, err = read("confirm " + question + ": "); err == nil && again != answer {
			err = errors.New("the two answers differ")
		}
	}
	return cmp.Or(answer, fallback), err
}

// visible asks for something that is no secret.
func (a *secrets) visible(question string) (string, error) {
	fmt.Fprint(a.s.err, question)
	return a.line()
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
