package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// forms returns the texts as which secret may show up.
func forms(secret string) []string {
	var out []string
	for _, plain := range plains(secret) {
		if ignored(plain) {
			continue
		}
		out = append(out, plain)
		for _, form := range encodings(plain) {
			if len(form) >= minLength {
				out = append(out, form)
			}
		}
	}
	return out
}

// plains returns secret, without the white space around it, and its lines.
func plains(secret string) []string {
	out := []string{strings.TrimSpace(secret)}
	lines := strings.Split(out[0], "\n")
	if len(lines) == 1 {
		return out
	}
	for _, line := range lines {
		if line = strings.TrimSpace(line); len(line) >= 8 && !strings.HasPrefix(line, "-----") {
			out = append(out, line)
		}
	}
	return out
}

var percentEscape = regexp.MustCompile(`%[0-9A-F]{2}`)

func encodings(s string) []string {
	out := []string{
		strings.ReplaceAll(s, `'`, `'\''`),  // within '…' for a shell
		strings.ReplaceAll(s, `'`, `'"'"'`), // the same as Python's shlex.quote writes it
		strings.ReplaceAll(s, `'`, `''`),    // within '…' for YAML and SQL
		doubleQuoted.Replace(s),             // within "…" for a shell
		jsonText(s, true),                   // as Go and browsers write JSON
		jsonText(s, false),                  // as everybody else does
		jsonText(jsonText(s, true), true),   // JSON within JSON
		jsonText(jsonText(s, false), false),
		strings.Trim(url.UserPassword("", s).String(), ":@"), // in a DSN
	}
	for _, escaped := range []string{url.QueryEscape(s), url.PathEscape(s), percentAll(s)} {
		lower := percentEscape.ReplaceAllStringFunc(escaped, strings.ToLower)
		out = append(out, escaped, lower)
	}
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		out = append(out, enc.EncodeToString([]byte(s)))
		out = append(out, withinBase64(enc, s)...)
	}
	return out
}

var doubleQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

func jsonText(s string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(s); err != nil {
		return s
	}
	text := strings.TrimSuffix(b.String(), "\n")
	return text[1 : len(text)-1]
}

// percentAll escapes all but letters and digits, as some tools do.
func percentAll(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
	}
	return b.String()
}

// withinBase64 returns what is sure to stand in the base64 of any text that
// has s in it, as in "Authorization: Basic …" of user:s. Three alignments are
// possible; the characters that s shares with its neighbours are left out.
func withinBase64(enc *base64.Encoding, s string) []string {
	const enough = 8 // characters; fewer could be met by chance
	var out []string
	for before := range 3 {
		text := enc.EncodeToString(append(make([]byte, before), s...))
		first := (before*8 + 5) / 6
		last := (before + len(s)) * 8 / 6
		if last-first >= enough {
			out = append(out, text[first:last])
		}
	}
	return out
}
