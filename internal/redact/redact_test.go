package redact_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/redact"
)

func TestMask(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		secrets []string
		in, out string
	}{
		"nothing known":                {nil, "hunter22", "hunter22"},
		"in the middle":                {[]string{"hunter22"}, "pw=hunter22;", "pw=********;"},
		"twice in a row":               {[]string{"hunter22"}, "hunter22hunter22", "****************"},
		"short values pass":            {[]string{"abc", ""}, "abc", "abc"},
		"common words pass":            {[]string{"true", "Root"}, "true Root", "true Root"},
		"the longer of two":            {[]string{"hunter", "hunter22"}, "hunter22 hunter", "******** ********"},
		"overlapping ones are one":     {[]string{"abcd", "cdef"}, "xabcdefx", "x********x"},
		"one within another":           {[]string{"abcdefgh", "cdef"}, "abcdefgh cdef", "******** ********"},
		"beginning only":               {[]string{"hunter22"}, "hunter2", "hunter2"},
		"white space around it":        {[]string{" hunter22\n"}, "hunter22", "********"},
		"beginning again before match": {[]string{"aab1"}, "aaab1", "a********"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s redact.Set
			for _, secret := range tt.secrets {
				s.Add(secret)
			}
			assert.Equal(t, tt.out, s.Mask(tt.in))
		})
	}
}

func TestEncodingsAreMasked(t *testing.T) {
	t.Parallel()
	const secret = `p@ss/w0rd?'"& <$x>\é`
	encoded := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return string(b)
	}
	var s redact.Set
	s.Add(secret)
	for name, text := range map[string]string{
		"plain":          secret,
		"query":          url.QueryEscape(secret),
		"path":           url.PathEscape(secret),
		"DSN":            (&url.URL{Scheme: "mysql", User: url.UserPassword("u", secret), Host: "h"}).String(),
		"JSON":           encoded(secret),
		"JSON in JSON":   encoded(encoded(secret)),
		"base64":         base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 for URL": base64.RawURLEncoding.EncodeToString([]byte(secret)),
		"basic auth":     base64.StdEncoding.EncodeToString([]byte("u:" + secret)),
		"basic auth 2":   base64.StdEncoding.EncodeToString([]byte("us:" + secret)),
		"basic auth 3":   base64.StdEncoding.EncodeToString([]byte("usr:" + secret)),
		"shell":          `'` + strings.ReplaceAll(secret, `'`, `'\''`) + `'`,
		"shlex":          `'` + strings.ReplaceAll(secret, `'`, `'"'"'`) + `'`,
	} {
		masked := s.Mask("before " + text + " after")
		assert.Contains(t, masked, redact.Masked, name)
		assert.NotContains(t, masked, "w0rd", name)
		assert.LessOrEqual(t, len(masked), len("before mysql://usr: after@h")+len(redact.Masked)+8, "%s: %s", name, masked)
	}
}

func TestLowerCaseEscapesAreMasked(t *testing.T) {
	t.Parallel()
	var s redact.Set
	s.Add("a/b+c/d")
	assert.Equal(t, "********", s.Mask("a%2fb%2bc%2fd"))
}

func TestLinesOfASecretAreMasked(t *testing.T) {
	t.Parallel()
	var s redact.Set
	s.Add("-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nshort\n-----END KEY-----\n")
	assert.Equal(t, "line ********", s.Mask("line MIIEpAIBAAKCAQEA"))
	assert.Equal(t, "-----BEGIN KEY-----", s.Mask("-----BEGIN KEY-----"))
	assert.Equal(t, "short", s.Mask("short"))
}

func TestValue(t *testing.T) {
	t.Parallel()
	var s redact.Set
	s.Add("hunter22")
	s.Add("123456")
	type word string
	in := map[string]any{
		"msg": "it is hunter22", "n": 123456, "f": 1.5, "b": true, "nil": nil, "w": word("hunter22"),
		"list": []any{"hunter22", map[string]any{"hunter22": 1}}, "strings": []string{"hunter22"},
		"m": map[string]string{"k": "hunter22"}, "bytes": []byte("hunter22"),
	}
	want := map[string]any{
		"msg": "it is ********", "n": "********", "f": 1.5, "b": true, "nil": nil, "w": "********",
		"list": []any{"********", map[string]any{"********": 1}}, "strings": []any{"********"},
		"m": map[string]any{"k": "********"}, "bytes": []byte("********"),
	}
	assert.Equal(t, want, s.Value(in))
	assert.Equal(t, "it is hunter22", in["msg"], "the value given is not changed")
}

func TestWriterHoldsBackOnlyWhatMayBeASecret(t *testing.T) {
	t.Parallel()
	var s redact.Set
	s.Add("hunter22")
	var out bytes.Buffer
	w := s.Writer(&out)
	_, err := w.Write([]byte("pw: hunt"))
	require.NoError(t, err)
	assert.Equal(t, "pw: ", out.String())
	_, err = w.Write([]byte("ing"))
	require.NoError(t, err)
	assert.Equal(t, "pw: hunting", out.String())
	_, err = w.Write([]byte("hunter2"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	assert.Equal(t, "pw: huntinghunter2", out.String())
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriterReportsErrors(t *testing.T) {
	t.Parallel()
	var s redact.Set
	w := s.Writer(brokenWriter{})
	_, err := w.Write([]byte("x"))
	require.EqualError(t, err, "disk full")
	require.EqualError(t, w.Close(), "disk full")
}

func TestSetIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var s redact.Set
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			secret := strings.Repeat(string(rune('a'+i)), 6)
			s.Add(secret)
			assert.Equal(t, redact.Masked, s.Mask(secret))
		})
	}
	wg.Wait()
}

// FuzzWriter checks that a stream is masked the same however it is cut.
func FuzzWriter(f *testing.F) {
	f.Add("hunter22", "ter2", "a hunter22 b hunthunter22", []byte{3, 1, 7})
	f.Add("abab", "baba", "xababababx", []byte{1})
	f.Add("aaaa", "aaab", "aaaaaaab", []byte{2, 0, 1})
	f.Add("p/w'd", "a", "p%2Fw%27d p/w'\\''d", []byte{5})
	f.Fuzz(func(t *testing.T, a, b, text string, cuts []byte) {
		var s redact.Set
		s.Add(a)
		s.Add(b)
		want := s.Mask(text)
		var got bytes.Buffer
		w := s.Writer(&got)
		for i, rest := 0, text; rest != ""; i++ {
			n := len(rest)
			if len(cuts) > 0 {
				n = min(n, int(cuts[i%len(cuts)])+1)
			}
			_, err := w.Write([]byte(rest[:n]))
			require.NoError(t, err)
			rest = rest[n:]
		}
		require.NoError(t, w.Close())
		require.Equal(t, want, got.String())
		for _, secret := range []string{strings.TrimSpace(a), strings.TrimSpace(b)} {
			if len(secret) >= 4 && s.Mask(secret) != secret && !strings.Contains("****************", secret) {
				require.NotContains(t, strings.ReplaceAll(want, redact.Masked, "\x00"), secret)
			}
		}
	})
}
