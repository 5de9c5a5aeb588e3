package inventory

import (
	"strconv"
	"strings"
)

// literal reads text as Python's ast.literal_eval does: numbers, True, False,
// None, strings in quotes, lists, tuples and dictionaries of those. ok is
// false for anything else; Ansible then takes the text as it is.
func literal(text string) (v any, ok bool) {
	p := literalParser{rest: strings.TrimSpace(text)}
	v, ok = p.value(0)
	rest := strings.TrimSpace(p.rest)
	return v, ok && (rest == "" || rest[0] == '#') // Python, so there may be a comment
}

type literalParser struct{ rest string }

const maxLiteralDepth = 100

func (p *literalParser) value(depth int) (any, bool) {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" || depth > maxLiteralDepth {
		return nil, false
	}
	switch p.rest[0] {
	case '\'', '"':
		return p.text()
	case '[':
		return p.list(']', depth)
	case '(':
		return p.list(')', depth)
	case '{':
		return p.dict(depth)
	}
	return p.word()
}

func (p *literalParser) word() (any, bool) {
	end := strings.IndexAny(p.rest, ",:]})(# \t'\"")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	switch word {
	case "True":
		return true, true
	case "False":
		return false, true
	case "None":
		return nil, true
	}
	return number(word)
}

// number reads a number as Python writes it: no leading zeros.
func number(word string) (any, bool) {
	digits := strings.TrimLeft(word, "+-")
	if digits == "" || len(word)-len(digits) > 1 || !strings.Contains("0123456789.", digits[:1]) {
		return nil, false
	}
	plain := strings.Trim(digits, "0123456789_") == ""
	if plain && len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0_") != "" {
		return nil, false
	}
	if n, err := strconv.ParseInt(word, 0, 64); err == nil {
		return n, true
	}
	if plain {
		return nil, false // larger than any number that we keep
	}
	if strings.ContainsAny(digits, "xXpP") {
		return nil, false
	}
	f, err := strconv.ParseFloat(word, 64)
	return f, err == nil
}

func (p *literalParser) text() (any, bool) {
	quote := p.rest[0]
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			p.rest = p.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(p.rest):
			i++
			switch e := p.rest[i]; e {
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
	return nil, false
}

func (p *literalParser) list(end byte, depth int) (any, bool) {
	p.rest = p.rest[1:]
	out := []any{}
	for {
		p.rest = strings.TrimLeft(p.rest, " \t")
		if p.take(end) {
			return out, true
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
		comma := p.take(',')
		if !comma && (p.rest == "" || p.rest[0] != end) {
			return nil, false
		}
		if end == ')' && !comma && len(out) == 1 {
			return v, p.take(end) // brackets around one value
		}
	}
}

func (p *literalParser) dict(depth int) (any, bool) {
	p.rest = p.rest[1:]
	out := map[string]any{}
	for {
		p.rest = strings.TrimLeft(p.rest, " \t")
		if p.take('}') {
			return out, true
		}
		key, ok := p.value(depth + 1)
		name, isText := key.(string)
		if !ok || !p.take(':') {
			return nil, false
		}
		if !isText {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out[name] = v
		if !p.take(',') && (p.rest == "" || p.rest[0] != '}') {
			return nil, false
		}
	}
}

// take removes c from the front if it is next.
func (p *literalParser) take(c byte) bool {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	p.rest = strings.TrimLeft(p.rest, " \t")
	return true
}
