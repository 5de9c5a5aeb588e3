package template

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is one word of an expression.
type token struct {
	kind  tokenKind
	text  string // an operator, or a name
	value any    // of a literal
	at    int    // byte offset in the text
}

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenLiteral
	tokenOp
)

// syntaxError is a mistake at an offset of a text.
type syntaxError struct {
	at        int
	msg, hint string
}

func (e *syntaxError) Error() string {
	if e.hint != "" {
		return e.msg + " (" + e.hint + ")"
	}
	return e.msg
}

func mistake(at int, format string, args ...any) *syntaxError {
	return &syntaxError{at: at, msg: fmt.Sprintf(format, args...)}
}

// operators, the longer ones first.
var operators = []string{"**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|"}

// lex splits text[from:to] into tokens; the last one is tokenEnd.
func lex(text string, from, to int) ([]token, error) {
	var out []token
	for i := from; i < to; {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '"' || c == '\'':
			s, end, err := lexString(text, i, to)
			if err != nil {
				return nil, err
			}
			out, i = append(out, token{tokenLiteral, "", s, i}), end
		case c >= '0' && c <= '9':
			t, end, err := lexNumber(text, i, to)
			if err != nil {
				return nil, err
			}
			out, i = append(out, t), end
		case nameStart(text[i:to]):
			end := nameEnd(text, i, to)
			out, i = append(out, nameToken(text[i:end], i)), end
		default:
			op := ""
			for _, o := range operators {
				if strings.HasPrefix(text[i:to], o) {
					op = o
					break
				}
			}
			if op == "" {
				r, _ := utf8.DecodeRuneInString(text[i:to])
				return nil, mistake(i, "%q has no meaning in an expression", r)
			}
			out, i = append(out, token{tokenOp, op, nil, i}), i+len(op)
		}
	}
	return append(out, token{kind: tokenEnd, at: to}), nil
}

func nameStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || unicode.IsLetter(r)
}

func nameEnd(text string, i, to int) int {
	for i < to {
		r, n := utf8.DecodeRuneInString(text[i:to])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i += n
	}
	return i
}

func nameToken(name string, at int) token {
	switch name {
	case "true", "True":
		return token{tokenLiteral, name, true, at}
	case "false", "False":
		return token{tokenLiteral, name, false, at}
	case "none", "None":
		return token{tokenLiteral, name, nil, at}
	}
	return token{tokenName, name, nil, at}
}

func lexString(text string, i, to int) (string, int, error) {
	quote := text[i]
	var b strings.Builder
	for j := i + 1; j < to; j++ {
		switch c := text[j]; {
		case c == quote:
			return b.String(), j + 1, nil
		case c == '\\' && j+1 < to:
			j++
			switch e := text[j]; e {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case '\\', '\'', '"':
				b.WriteByte(e)
			default:
				b.WriteByte('\\')
				b.WriteByte(e)
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, mistake(i, "a string is not closed")
}

func lexNumber(text string, i, to int) (token, int, error) {
	j := i
	isFloat := false
	for j < to {
		c := text[j]
		switch {
		case c >= '0' && c <= '9' || c == '_':
		case c == '.' && !isFloat && j+1 < to && text[j+1] >= '0' && text[j+1] <= '9':
			isFloat = true
		case (c == 'e' || c == 'E') && j+1 < to && (text[j+1] >= '0' && text[j+1] <= '9' || text[j+1] == '-' || text[j+1] == '+'):
			isFloat = true
			j++
		case c == 'x' && j == i+1 || j > i+1 && text[i] == '0' && text[i+1] == 'x' && strings.IndexByte("abcdefABCDEF", c) >= 0:
		default:
			goto done
		}
		j++
	}
done:
	word := strings.ReplaceAll(text[i:j], "_", "")
	if isFloat {
		f, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return token{}, 0, mistake(i, "%q is not a number", word)
		}
		return token{tokenLiteral, word, f, i}, j, nil
	}
	base := 10
	if strings.HasPrefix(word, "0x") {
		base, word = 16, word[2:]
	}
	n, err := strconv.ParseInt(word, base, 64)
	if err != nil {
		return token{}, 0, mistake(i, "%q is not a number that fits into 64 bits", word)
	}
	return token{tokenLiteral, word, n, i}, j, nil
}
