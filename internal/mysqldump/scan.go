package mysqldump

import (
	"bytes"
	"encoding/hex"
	"hash"
	"io"
	"strings"
)

// table names one of a server.
type table struct{ database, name string }

// String returns DATABASE.TABLE.
func (t table) String() string { return t.database + "." + t.name }

// maxHead is how much of a line is looked at. An identifier has 64 characters
// at most, so all that is looked for is shorter.
const maxHead = 512

// scanner passes a dump on, and remembers what is in it. Its memory does not
// grow with the length of a line.
//
// Lines are told from data by what stands at their beginning: within values the
// client escapes every newline.
type scanner struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64

	head     []byte // of the line that has begun
	database string // of the last "Current Database", or of the header
	found    map[table]bool
	headers  int    // "-- MySQL dump …", "-- MariaDB dump …"
	footers  int    // "-- Dump completed"
	last     string // the last line that is not empty
	ended    bool   // that the last line has its newline
	first    string // the first line
}

func newScanner(w io.Writer, h hash.Hash) *scanner {
	return &scanner{w: w, hash: h, found: map[table]bool{}}
}

// Write implements io.Writer.
func (s *scanner) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.hash.Write(p[:n])
	s.bytes += int64(n)
	for rest := p[:n]; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if room := maxHead - len(s.head); room > 0 {
			s.head = append(s.head, line[:min(room, len(line))]...)
		}
		s.ended = whole
		if whole {
			s.line(string(s.head))
			s.head = s.head[:0]
		}
		rest = after
	}
	return n, err
}

func (s *scanner) line(text string) {
	if text == "" {
		return
	}
	if s.last == "" {
		s.first = text
	}
	s.last = text
	switch {
	case isFooter(text):
		s.footers++
	case strings.HasPrefix(text, "-- MySQL dump "), strings.HasPrefix(text, "-- MariaDB dump "):
		s.headers++
		s.database = ""
	case strings.HasPrefix(text, "-- Host: "):
		// "-- Host: localhost    Database: torrust_tracker"
		if _, name, ok := strings.Cut(text, "Database: "); ok && s.database == "" {
			s.database = strings.TrimSpace(name)
		}
	case strings.HasPrefix(text, "-- Current Database: `"):
		s.database = identifier(strings.TrimPrefix(text, "-- Current Database: "))
	case strings.HasPrefix(text, "CREATE TABLE `"), strings.HasPrefix(text, "CREATE TABLE IF NOT EXISTS `"):
		s.found[table{s.database, identifier(text[strings.IndexByte(text, '`'):])}] = true
	}
}

// isFooter tells whether a line is the comment that ends a dump. Clients write
// it even after some failures, so it proves nothing alone.
func isFooter(line string) bool {
	return line == "-- Dump completed" || strings.HasPrefix(line, "-- Dump completed on ")
}

// identifier reads a name in backquotes, where two stand for one.
func identifier(text string) string {
	var b strings.Builder
	for rest := strings.TrimPrefix(text, "`"); ; {
		part, after, _ := strings.Cut(rest, "`")
		b.WriteString(part)
		if !strings.HasPrefix(after, "`") {
			return b.String()
		}
		b.WriteByte('`')
		rest = after[1:]
	}
}

func (s *scanner) has(t table) bool { return s.found[t] }

func (s *scanner) sum() string { return hex.EncodeToString(s.hash.Sum(nil)) }

// whole tells whether the stream is that many dumps, each with its end.
func (s *scanner) whole(dumps int) error {
	switch {
	case s.bytes == 0:
		return fail(CodeCut, "the dump is empty")
	case s.headers != dumps:
		return fail(CodeCut, "the stream holds the beginnings of %d dumps, not of %d; its first line is %.60q", s.headers, dumps, s.first)
	case s.footers != dumps || !isFooter(s.last) || !s.ended:
		return fail(CodeCut, "the dump does not end with its footer; its last line is %.60q", s.last+string(s.head))
	}
	return nil
}
