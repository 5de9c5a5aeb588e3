package target

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/shlex"
)

// arguments reads what would be arguments of ssh(1) into t. What we do not
// understand is refused: a connection that quietly differs from the one asked
// for is worse than none.
func arguments(t *conn.Target, text string) error {
	words, err := shlex.Split(text, shlex.Options{})
	if err != nil {
		return err
	}
	for i := 0; i < len(words); i++ {
		word := words[i]
		if len(word) < 2 || word[0] != '-' {
			return fmt.Errorf("%q is no option of ssh", word)
		}
		letter, value := word[1], word[2:]
		if strings.IndexByte("CAaqvTxkn46", letter) >= 0 && value == "" {
			continue // says nothing about a connection of ours
		}
		if strings.IndexByte("oilpJF", letter) < 0 {
			return fmt.Errorf("the option -%c of ssh is not supported; supported: -o, -i, -p, -l, -J", letter)
		}
		if value == "" {
			if i++; i == len(words) {
				return fmt.Errorf("-%c needs a value", letter)
			}
			value = words[i]
		}
		if err := argument(t, letter, value); err != nil {
			return err
		}
	}
	return nil
}

func argument(t *conn.Target, letter byte, value string) error {
	switch letter {
	case 'o':
		name, v, ok := strings.Cut(value, "=")
		if !ok {
			name, v, ok = strings.Cut(value, " ")
		}
		if name = strings.TrimSpace(name); !ok || name == "" {
			return fmt.Errorf("-o %q is not Name=value", value)
		}
		t.Options = append(t.Options, conn.Option{Name: name, Value: strings.TrimSpace(v)})
	case 'i':
		t.KeyFiles = append(t.KeyFiles, value)
	case 'p':
		port, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("-p %q is not a port", value)
		}
		if t.Port == 0 {
			t.Port = port
		}
	case 'l':
		if t.User == "" {
			t.User = value
		}
	case 'J':
		t.Options = append(t.Options, conn.Option{Name: "ProxyJump", Value: value})
	case 'F':
		return fmt.Errorf("-F %s: another ssh_config is not supported; put what is needed into ~/.ssh/config, or give it with -o", value)
	}
	return nil
}
