// Package redact owns the secrets of a run and keeps them out of whatever is
// shown or stored: texts, JSON-like values, and streams.
//
// It never knows where the secrets come from, nor where its output goes.
package redact

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Masked stands where a secret was.
const Masked = "********"

// minLength is the length from which a value is masked. Shorter ones would
// blacken half of every output and are no secrets anyway.
const minLength = 4

// common values are never masked even if somebody stores them as a password:
// they stand everywhere in output, and masking them tells more than it hides.
var common = []string{
	"true", "false", "null", "none", "default", "root", "admin", "localhost", "undefined",
}

// Set is the secrets of a run. The zero Set is empty and ready to use; it is
// safe for concurrent use.
type Set struct {
	mu      sync.RWMutex
	forms   map[string]bool // every text to mask
	matcher *matcher        // of forms; nil if forms has grown since
}

// Add makes secret, and the encodings of it that people meet, unreadable from
// now on. Values shorter than four bytes and words such as "true" are ignored.
// Of a secret with several lines each line of eight bytes and more is masked
// on its own, too, since output is shown by lines.
func (s *Set) Add(secret string) {
	found := forms(secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, form := range found {
		if s.forms[form] {
			continue
		}
		if s.forms == nil {
			s.forms = map[string]bool{}
		}
		s.forms[form] = true
		s.matcher = nil
	}
}

// compiled returns the matcher of all secrets, nil if there are none.
func (s *Set) compiled() *matcher {
	s.mu.RLock()
	m, n := s.matcher, len(s.forms)
	s.mu.RUnlock()
	if m != nil || n == 0 {
		return m
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.matcher == nil {
		s.matcher = newMatcher(s.forms)
	}
	return s.matcher
}

// Mask returns text with every secret replaced by [Masked]. Secrets that
// overlap are masked as one.
func (s *Set) Mask(text string) string {
	m := s.compiled()
	if m == nil || !m.finds(text) {
		return text
	}
	var out strings.Builder
	f := filter{}
	f.feed(m, []byte(text), true, func(p []byte) { out.Write(p) })
	return out.String()
}

// Value returns v with every secret masked in every text within it, keys of
// mappings included. It looks at values only: a key named "password" is not
// masked unless its value is in the set. A number which is a secret becomes
// [Masked]. v itself is not changed.
func (s *Set) Value(v any) any {
	if s.compiled() == nil {
		return v
	}
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		return s.Mask(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[s.Mask(key)] = s.Value(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = s.Value(item)
		}
		return out
	}
	return s.other(v)
}

// other masks the types that are not what JSON decodes to.
func (s *Set) other(v any) any {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.String:
		return s.Mask(rv.String())
	case reflect.Slice, reflect.Array:
		if raw, ok := v.([]byte); ok {
			return []byte(s.Mask(string(raw)))
		}
		out := make([]any, rv.Len())
		for i := range out {
			out[i] = s.Value(rv.Index(i).Interface())
		}
		return out
	case reflect.Map:
		out := make(map[string]any, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			out[s.Mask(fmt.Sprint(it.Key().Interface()))] = s.Value(it.Value().Interface())
		}
		return out
	}
	if text := fmt.Sprint(v); s.Mask(text) != text {
		return s.Mask(text)
	}
	return v
}

// Writer returns a writer that masks what passes to w, wherever its input is
// cut into pieces. It holds back only what may be the beginning of a secret;
// Close writes that, and does not close w. It is not safe for concurrent use.
func (s *Set) Writer(w io.Writer) io.WriteCloser { return &writer{set: s, w: w} }

type writer struct {
	set    *Set
	w      io.Writer
	filter filter
	err    error
}

// Write implements io.Writer. After an error of the underlying writer every
// call returns it.
func (w *writer) Write(p []byte) (int, error) {
	w.pass(p, false)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Close implements io.Closer.
func (w *writer) Close() error {
	w.pass(nil, true)
	return w.err
}

func (w *writer) pass(p []byte, end bool) {
	if w.err != nil {
		return
	}
	var out []byte
	w.filter.feed(w.set.compiled(), p, end, func(piece []byte) { out = append(out, piece...) })
	if len(out) > 0 {
		_, w.err = w.w.Write(out)
	}
}

func ignored(secret string) bool {
	return len(secret) < minLength || slices.Contains(common, strings.ToLower(secret))
}
