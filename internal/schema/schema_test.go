package schema

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const text = `{
  "type": "object", "additionalProperties": false, "required": ["name"],
  "properties": {
    "name": {"type": "string", "pattern": "^[a-z]+$"},
    "level": {"type": "integer", "minimum": 1, "maximum": 9},
    "kind": {"enum": ["gzip", "zstd"]},
    "inner": {"$ref": "#/$defs/inner"},
    "list": {"type": "array", "items": {"type": "string"}}
  },
  "$defs": {"inner": {"type": "object", "additionalProperties": false, "properties": {"where": {"type": "string"}}}}
}`

func TestCheck(t *testing.T) {
	t.Parallel()
	s, err := Compile("x.json", []byte(text))
	require.NoError(t, err)
	good := map[string]any{"name": "a", "level": int64(3), "kind": "zstd", "inner": map[string]any{"where": "x"}, "list": []any{"a"}}
	mistakes, err := s.Check(good)
	require.NoError(t, err)
	assert.Empty(t, mistakes)

	for want, value := range map[Mistake]map[string]any{
		{"inner.wher", "there is no such key", "known: where"}:                      {"name": "a", "inner": map[string]any{"wher": 1}},
		{"colour", "there is no such key", "known: inner, kind, level, list, name"}: {"name": "a", "colour": 1},
		{"name", "it is missing", ""}:                                               {},
		{"name", "it must be of the form ^[a-z]+$", ""}:                             {"name": "GEHEIM"},
		{"kind", "value must be one of 'gzip', 'zstd'", ""}:                         {"name": "a", "kind": "geheim"},
		{"level", "maximum: got 10, want 9", ""}:                                    {"name": "a", "level": 10},
		{"level", "got string, want integer", ""}:                                   {"name": "a", "level": "geheim"},
		{"list.0", "got number, want string", ""}:                                   {"name": "a", "list": []any{1}},
	} {
		mistakes, err := s.Check(value)
		require.NoError(t, err)
		assert.Equal(t, []Mistake{want}, mistakes)
	}
}

func TestCompile(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"{":                                 "x.json is not JSON",
		`{"type": "nonsense"}`:              "x.json is not a JSON Schema",
		`{"$ref": "https://example.org/a"}`: "x.json is not a JSON Schema",
		`{"$ref": "file:///etc/passwd"}`:    "x.json is not a JSON Schema",
	} {
		_, err := Compile("x.json", []byte(text))
		require.ErrorContains(t, err, says, text)
	}
}
