package all_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/all"
	"github.com/torrust/runner/internal/tasks/reference"
)

const referencePage = "../../../docs/tasks.md"

// TestReferenceIsFresh keeps docs/tasks.md in step with the declarations. With
// UPDATE=1 it writes the page.
func TestReferenceIsFresh(t *testing.T) {
	want := reference.Page(all.Registry().All())
	if os.Getenv("UPDATE") == "1" {
		require.NoError(t, os.WriteFile(referencePage, []byte(want), 0o644))
	}
	got, err := os.ReadFile(referencePage)
	require.NoError(t, err)
	assert.True(t, want == string(got), "docs/tasks.md is stale: make generate")
}
