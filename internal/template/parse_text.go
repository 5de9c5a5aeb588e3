package template

import (
	"strings"
)

// delimiters are what marks expressions in a text.
type delimiters struct {
	blockStart, blockEnd, varStart, varEnd, commentStart, commentEnd string
	trimBlocks, lstripBlocks                                         bool
}

var usual = delimiters{blockStart: "{%", blockEnd: "%}", varStart: "{{", varEnd: "}}", commentStart: "{#", commentEnd: "#}", trimBlocks: true}

// piece is a part of a text: literal text, or the inside of delimiters.
type piece struct {
	kind     pieceKind
	from, to int
	text     string // of a textPiece, after trimming
}

type pieceKind int

const (
	textPiece pieceKind = iota
	varPiece
	blockPiece
)

// scanner cuts a text into pieces.
type scanner struct {
	text string
	d    delimiters
	out  []piece
	trim bool // the next text loses its leading blanks
	eat  bool // the next text loses a leading newline
}

func scan(text string, d delimiters) ([]piece, error) {
	s := &scanner{text: text, d: d}
	pos := 0
	for pos < len(text) {
		at, open := s.nextOpen(pos)
		if at < 0 {
			break
		}
		minus := strings.HasPrefix(text[at+len(open):], "-")
		s.addText(pos, at, minus, open != d.varStart)
		end, err := s.inside(at, open, minus)
		if err != nil {
			return nil, err
		}
		pos = end
	}
	s.addText(pos, len(text), false, false)
	return s.out, nil
}

// nextOpen finds the first delimiter that opens something.
func (s *scanner) nextOpen(pos int) (at int, open string) {
	at = -1
	for _, o := range []string{s.d.varStart, s.d.blockStart, s.d.commentStart} {
		if i := strings.Index(s.text[pos:], o); i >= 0 && (at < 0 || pos+i < at) {
			at, open = pos+i, o
		}
	}
	return at, open
}

func (s *scanner) addText(from, to int, trimRight, beforeBlock bool) {
	t := s.text[from:to]
	if s.eat {
		t = strings.TrimPrefix(strings.TrimPrefix(t, "\r"), "\n")
	}
	if s.trim {
		t = strings.TrimLeft(t, " \t\r\n")
	}
	if trimRight {
		t = strings.TrimRight(t, " \t\r\n")
	} else if beforeBlock && s.d.lstripBlocks {
		if line := strings.LastIndexByte(t, '\n'); strings.TrimLeft(t[line+1:], " \t") == "" && (line >= 0 || from == 0) {
			t = t[:line+1]
		}
	}
	s.trim, s.eat = false, false
	if t != "" {
		s.out = append(s.out, piece{kind: textPiece, from: from, text: t})
	}
}

// inside reads what stands between delimiters, and returns where it ends.
func (s *scanner) inside(at int, open string, minus bool) (end int, err error) {
	from := at + len(open)
	if minus || strings.HasPrefix(s.text[from:], "+") {
		from++
	}
	closer := map[string]string{s.d.varStart: s.d.varEnd, s.d.blockStart: s.d.blockEnd, s.d.commentStart: s.d.commentEnd}[open]
	to := -1
	if open == s.d.commentStart {
		if i := strings.Index(s.text[from:], closer); i >= 0 {
			to = from + i
		}
	} else {
		to = closing(s.text, from, closer)
	}
	if to < 0 {
		return 0, mistake(at, "'%s' is not closed by '%s'", open, closer)
	}
	end = to + len(closer)
	stop := to
	if to > from && s.text[to-1] == '-' {
		stop, s.trim = to-1, true
	}
	if open != s.d.varStart {
		s.eat = s.d.trimBlocks
	}
	switch open {
	case s.d.varStart:
		s.out = append(s.out, piece{varPiece, from, stop, ""})
	case s.d.blockStart:
		if strings.TrimSpace(s.text[from:stop]) == "raw" {
			return s.raw(end, at)
		}
		s.out = append(s.out, piece{blockPiece, from, stop, ""})
	}
	return end, nil
}

// raw takes the text up to endraw as it is.
func (s *scanner) raw(from, at int) (int, error) {
	for pos := from; ; {
		i := strings.Index(s.text[pos:], s.d.blockStart)
		if i < 0 {
			return 0, mistake(at, "'raw' is not closed by 'endraw'")
		}
		start := pos + i
		j := strings.Index(s.text[start:], s.d.blockEnd)
		if j < 0 {
			return 0, mistake(at, "'raw' is not closed by 'endraw'")
		}
		inner := s.text[start+len(s.d.blockStart) : start+j]
		if strings.TrimSpace(strings.Trim(inner, "-+")) == "endraw" {
			s.addText(from, start, strings.HasPrefix(inner, "-"), true)
			s.trim, s.eat = strings.HasSuffix(inner, "-"), s.d.trimBlocks
			return start + j + len(s.d.blockEnd), nil
		}
		pos = start + len(s.d.blockStart)
	}
}

// closing finds the end of an expression; one within a string, or within
// braces of the expression, is none.
func closing(text string, from int, closer string) int {
	depth := 0
	for i := from; i < len(text); i++ {
		switch c := text[i]; {
		case depth == 0 && strings.HasPrefix(text[i:], closer):
			return i
		case c == '\'' || c == '"':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case c == '{' || c == '[' || c == '(':
			depth++
		case c == '}' || c == ']' || c == ')':
			if depth > 0 {
				depth--
			}
		}
	}
	return -1
}

// textParser makes statements of pieces.
type textParser struct {
	text   string
	pieces []piece
	pos    int
	depth  int
}

func parseText(text string, d delimiters) ([]stmt, error) {
	pieces, err := scan(text, d)
	if err != nil {
		return nil, err
	}
	p := &textParser{text: text, pieces: pieces}
	body, word, at, err := p.body()
	if err == nil && word != "" {
		err = mistake(at, "'%s' closes nothing", word)
	}
	return body, err
}

// body reads statements up to a block that closes or continues something, and
// returns the first word of that block.
func (p *textParser) body(until ...string) (out []stmt, word string, at int, err error) {
	if p.depth++; p.depth > maxNesting {
		return nil, "", 0, mistake(p.pieces[p.pos-1].from, "the blocks are nested too deep")
	}
	defer func() { p.depth-- }()
	for p.pos < len(p.pieces) {
		piece := p.pieces[p.pos]
		p.pos++
		switch piece.kind {
		case textPiece:
			out = append(out, textNode{piece.text})
		case varPiece:
			x, err := parseExpr(p.text, piece.from, piece.to)
			if err != nil {
				return nil, "", 0, err
			}
			out = append(out, outputNode{x})
		case blockPiece:
			word, from := firstWord(p.text, piece.from, piece.to)
			if strings.HasPrefix(word, "end") || word == "else" || word == "elif" {
				p.pos-- // the caller looks at it
				return out, word, piece.from, nil
			}
			s, err := p.block(word, from, piece)
			if err != nil {
				return nil, "", 0, err
			}
			out = append(out, s)
		}
	}
	return out, "", len(p.text), nil
}

func firstWord(text string, from, to int) (word string, rest int) {
	for from < to && strings.IndexByte(" \t\r\n", text[from]) >= 0 {
		from++
	}
	end := nameEnd(text, from, to)
	return text[from:end], end
}

func (p *textParser) block(word string, from int, at piece) (stmt, error) {
	switch word {
	case "if":
		return p.ifBlock(from, at)
	case "for":
		return p.forBlock(from, at)
	case "set":
		return p.setBlock(from, at)
	case "include", "extends", "import", "from", "block", "macro", "call", "filter", "autoescape", "do", "with", "trans":
		return nil, &syntaxError{at.from, "'" + word + "' is not supported in templates", "supported: if, for, set, raw"}
	}
	return nil, mistake(at.from, "there is no block '%s'", word)
}

// close takes the block that ends something.
func (p *textParser) close(want, got string, opened piece) error {
	if got != want {
		return mistake(opened.from, "'%s' is missing", want)
	}
	p.pos++
	return nil
}

func (p *textParser) ifBlock(from int, at piece) (stmt, error) {
	n := ifNode{}
	to := at.to
	for {
		cond, err := parseExpr(p.text, from, to)
		if err != nil {
			return nil, err
		}
		body, word, _, err := p.body()
		if err != nil {
			return nil, err
		}
		n.conds, n.bodies = append(n.conds, cond), append(n.bodies, body)
		switch word {
		case "elif":
			piece := p.pieces[p.pos]
			p.pos++
			_, from = firstWord(p.text, piece.from, piece.to)
			to = piece.to
			continue
		case "else":
			p.pos++
			if body, word, _, err = p.body(); err != nil {
				return nil, err
			}
			n.bodies = append(n.bodies, body)
		}
		return n, p.close("endif", word, at)
	}
}

func (p *textParser) forBlock(from int, at piece) (stmt, error) {
	tokens, err := lex(p.text, from, at.to)
	if err != nil {
		return nil, err
	}
	e := &parser{tokens: tokens}
	n := forNode{at: at.from}
	if n.names, err = targets(e); err != nil {
		return nil, err
	}
	if err := e.want("in"); err != nil {
		return nil, err
	}
	if n.in, err = e.or(); err != nil {
		return nil, err
	}
	if _, ok := e.op("if"); ok {
		if n.filter, err = e.ternary(); err != nil {
			return nil, err
		}
	}
	if err := e.end(); err != nil {
		return nil, err
	}
	var word string
	if n.body, word, _, err = p.body(); err != nil {
		return nil, err
	}
	if word == "else" {
		p.pos++
		if n.none, word, _, err = p.body(); err != nil {
			return nil, err
		}
	}
	return n, p.close("endfor", word, at)
}

// targets reads the names that for and set give values to.
func targets(e *parser) ([]string, error) {
	var names []string
	for {
		t := e.next()
		if t.kind != tokenName {
			return nil, mistake(t.at, "expected a name, this is %s", describe(t))
		}
		if _, ok := e.op("."); ok && len(names) == 0 {
			member := e.next()
			if member.kind != tokenName {
				return nil, mistake(member.at, "expected a name, this is %s", describe(member))
			}
			return []string{t.text + "." + member.text}, nil
		}
		names = append(names, t.text)
		if _, ok := e.op(","); !ok {
			return names, nil
		}
	}
}

func (p *textParser) setBlock(from int, at piece) (stmt, error) {
	tokens, err := lex(p.text, from, at.to)
	if err != nil {
		return nil, err
	}
	e := &parser{tokens: tokens}
	n := setNode{at: at.from}
	if n.names, err = targets(e); err != nil {
		return nil, err
	}
	if _, ok := e.op("="); ok {
		if n.x, err = e.tuple(); err != nil {
			return nil, err
		}
		return n, e.end()
	}
	if err := e.end(); err != nil {
		return nil, err
	}
	var word string
	if n.body, word, _, err = p.body(); err != nil {
		return nil, err
	}
	return n, p.close("endset", word, at)
}
