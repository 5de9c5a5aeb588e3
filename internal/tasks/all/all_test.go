package all_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks/all"
)

func TestEveryKindIsDocumented(t *testing.T) {
	t.Parallel()
	for _, s := range all.Registry().All() {
		assert.NotEmpty(t, s.Summary, s.Name)
		assert.Contains(t, s.Doc, "```yaml", s.Name)
		for _, p := range s.Params() {
			assert.NotEmpty(t, p.Doc, "%s.%s", s.Name, p.Name)
		}
	}
}

func TestShippedPipesFit(t *testing.T) {
	t.Parallel()
	var stages []pipe.Stage
	for _, name := range []string{"slurp", "gzip", "verify_size", "fetch"} {
		s, ok := all.Registry().Lookup(name)
		assert.True(t, ok, name)
		stages = append(stages, pipe.Stage{Kind: name, Task: s.New()})
	}
	assert.Empty(t, pipe.Mistakes(stages))
	assert.Equal(t, []pipe.Place{pipe.OnHost, pipe.OnHost, pipe.OnController, pipe.OnController}, pipe.Placement(stages))
}
