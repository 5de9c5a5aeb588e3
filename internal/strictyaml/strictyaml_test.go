package strictyaml_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// TestScalars reads scalars as PyYAML does, which Ansible's users write for.
func TestScalars(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		"yes": true, "No": false, "on": true, "OFF": false, "true": true, "y": "y", "n": "n",
		"1": int64(1), "-7": int64(-7), "+1": int64(1), "0644": int64(0o644), "0o17": "0o17", "0x1F": int64(31), "1_000": int64(1000), "0b11": int64(3),
		"12:30:45": int64(45045), "1.5": 1.5, "1e3": "1e3", "1.0e+3": 1000.0, ".5": 0.5, "~": nil, "null": nil, "Null": nil, "": nil,
		`"yes"`: "yes", "'1'": "1", "text": "text", "2001-12-14": "2001-12-14", "!!str 1": "1", "08": "08", "{{ x }}": nil,
	} {
		if text == "{{ x }}" {
			_, err := strictyaml.ParseOne("f", []byte("a: "+text))
			assert.ErrorContains(t, err, "must be quoted")
			continue
		}
		n, err := strictyaml.ParseOne("f", []byte("a: "+text+"\n"))
		require.NoError(t, err, text)
		assert.Equal(t, want, n.Pairs[0].Value.Value, "%q", text)
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	n, err := strictyaml.ParseOne("f.yml", []byte("# note\nplay:\n  - name: a\n    tasks: [x, {y: z}]\n"))
	require.NoError(t, err)
	play := n.Pairs[0]
	assert.Equal(t, "f.yml:2:1", play.Key.Pos.String())
	first := play.Value.Items[0]
	assert.Equal(t, "f.yml:3:5", first.Pos.String())
	tasks := first.Pairs[1].Value
	assert.Equal(t, []string{"f.yml:4:12", "f.yml:4:13", "f.yml:4:16", "f.yml:4:17"},
		[]string{tasks.Pos.String(), tasks.Items[0].Pos.String(), tasks.Items[1].Pos.String(), tasks.Items[1].Pairs[0].Key.Pos.String()})
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	laughs := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 'b'; i < 'k'; i++ {
		laughs += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for text, want := range map[string]string{
		"a: 1\nb: 2\na: 3\n":       "f:3:1: ",
		"a: [1\n":                  "f:",
		"a:\n\t- b\n":              "f:2:1: not valid YAML",
		"a: &a [*a]\n":             "f:1:",
		"a: *nobody\n":             "nobody",
		"? [a, b]\n: c\n":          "f:1:3: ",
		deep:                       "deep",
		laughs:                     "aliases expand",
		"a: 1\n---\nb: 2\n":        "f:3:1: a second document",
		"a: {{ x }}\n":             "f:1:5: a mapping's key must be a word (a value that starts with {{ must be quoted",
		"<<: 1\n":                  "f:1:",
		"a: \"\\xzz\"\n":           "f:",
		"a: b\x00c\n":              "f",
		"- a\nb: c\n":              "f:",
		"a: 'b\n":                  "f:",
		"a: !!binary nobase64%%\n": "f:1:4",
	} {
		_, err := strictyaml.ParseOne("f", []byte(text))
		require.Error(t, err, "%.60q", text)
		assert.ErrorContains(t, err, want, "%.60q", text)
		assert.NotEmpty(t, diag.All(err), "%.60q", text)
	}
}

// TestMerge: keys of a merged mapping stand behind its own, which win.
func TestMerge(t *testing.T) {
	t.Parallel()
	n, err := strictyaml.ParseOne("f", []byte("base: &b {x: 1, y: 2}\nmore: &m {z: 3}\nall:\n  <<: [*b, *m]\n  x: 9\n"))
	require.NoError(t, err)
	v, err := n.Get("all").Native(nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"x": int64(9), "y": int64(2), "z": int64(3)}, v)
}

func TestDocumentsAndEmptyFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "# note\n": 0, "---\n": 1, "a: 1\n---\nb: 2\n...\n": 2, "\ufeffa: 1\n": 1, "a: 1\r\nb: 2\r\n": 1} {
		docs, err := strictyaml.Parse("f", []byte(text))
		require.NoError(t, err, "%q", text)
		assert.Len(t, docs, want, "%q", text)
	}
	n, err := strictyaml.ParseOne("f", nil)
	require.NoError(t, err)
	assert.Equal(t, []any{strictyaml.Null, "f:1:1"}, []any{n.Kind, n.Pos.String()})
}

func TestTags(t *testing.T) {
	t.Parallel()
	n, err := strictyaml.ParseOne("f", []byte("a: !vault |\n  secret\nb: !unsafe '{{ x }}'\n"))
	require.NoError(t, err)
	assert.Equal(t, []string{"!vault", "secret\n", "!unsafe"}, []string{n.Get("a").Tag, n.Get("a").Text, n.Get("b").Tag})
	v, err := n.Native(func(n *strictyaml.Node) (any, error) { return n.Tag, nil })
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a": "!vault", "b": "!unsafe"}, v)
}

func TestFields(t *testing.T) {
	t.Parallel()
	n, err := strictyaml.ParseOne("f", []byte("name: x\nhsts: y\nserial: 1\n"))
	require.NoError(t, err)
	var errs diag.List
	var name string
	assert.True(t, strictyaml.Fields(n, "a play", &errs,
		strictyaml.Field{Name: "name", Read: func(v *strictyaml.Node, _ *diag.List) { name = v.Text }},
		strictyaml.Field{Name: "hosts", Required: true, Read: func(*strictyaml.Node, *diag.List) {}},
		strictyaml.Field{Name: "serial", Refused: "one at a time is enough"}))
	assert.Equal(t, "x", name)
	assert.Equal(t, []string{
		`f:1:1: a play needs the key "hosts"`,
		`f:2:1: a play has no key "hsts" (did you mean "hosts"?)`,
		`f:3:1: "serial" is not supported (one at a time is enough)`,
	}, strings.Split(errs.Err().Error(), "\n"))
	assert.False(t, strictyaml.Fields(n.Pairs[0].Value, "a play", &errs))
}

func TestWrite(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, strictyaml.Write(&b, map[string]any{"b": []any{int64(1), "yes", nil}, "a": map[string]any{"x": 1.5}}))
	assert.Equal(t, "a:\n  x: 1.5\nb:\n  - 1\n  - \"yes\"\n  - null\n", b.String())
}

// breaks are the line breaks of YAML 1.1, section 4.2.
var breaks = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// FuzzParse: no text makes Parse panic, and every mistake has a place within
// it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"a: [1, {b: c}]\n", "a: &x 1\nb: *x\n<<: {c: d}\n", "- !t |\n  x\n", "---\n...\n---\na\n", "a: \"\\u263a\"\r\n", "? a\n: b\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		docs, err := strictyaml.Parse("f", text)
		lines := len(breaks.FindAllIndex(text, -1)) + 1
		for _, e := range diag.All(err) {
			require.LessOrEqual(t, e.Pos.Line, lines+1, e.Error())
		}
		for _, n := range docs {
			_, _ = n.Native(nil)
		}
	})
}
