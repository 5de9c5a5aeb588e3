package template

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumentation evaluates every example of docs/templates.md, and sees to
// it that its lists are complete.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/templates.md")
	require.NoError(t, err)
	page := string(text)
	e := New(Options{})
	examples := regexp.MustCompile(`(?m)^(.*\S)  →  (.+)$`).FindAllStringSubmatch(page, -1)
	require.Greater(t, len(examples), 15)
	for _, m := range examples {
		var want any
		require.NoError(t, json.Unmarshal([]byte(m[2]), &want), m[0])
		got, err := e.Expand(t.Context(), m[1], values{})
		require.NoError(t, err, m[1])
		data, err := json.Marshal(got)
		require.NoError(t, err)
		assert.JSONEq(t, m[2], string(data), m[1])
	}
	for heading, names := range map[string][]string{
		"Filters": slices.Sorted(maps.Keys(filters())),
		"Tests":   slices.Sorted(maps.Keys(tests())),
		"Lookups": lookups,
	} {
		_, section, _ := strings.Cut(page, "\n## "+heading+"\n\n")
		list, _, _ := strings.Cut(section, "\n\n")
		assert.Equal(t, names, strings.Fields(strings.ReplaceAll(list, "`", "")), heading)
	}
}

// values is a scope of plain values.
type values map[string]any

func (v values) Lookup(name string) (value any, literal, ok bool) {
	value, ok = v[name]
	return value, true, ok
}

func (v values) Names() []string { return slices.Sorted(maps.Keys(v)) }
