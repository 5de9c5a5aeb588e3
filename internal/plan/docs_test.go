package plan_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/all"
)

var example = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// realKinds are the kinds that exist, and those of these tests for the rest.
func realKinds() *tasks.Registry {
	specs := all.Registry().All()
	for _, fake := range registry().All() {
		if _, ok := all.Registry().Lookup(fake.Name); !ok {
			specs = append(specs, fake)
		}
	}
	return tasks.NewRegistry(specs...)
}

// TestDocumentation plans every example of docs/playbooks.md.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "playbooks.md"))
	require.NoError(t, err)
	found := example.FindAllStringSubmatch(string(page), -1)
	require.Greater(t, len(found), 5)
	for _, m := range found {
		_, err := build(t, plan.Options{Registry: realKinds()}, "docs.yml", m[1],
			"tasks/check.yml", "- assert: { that: strict }\n",
			"tasks/one.yml", "- debug: { msg: \"{{ item }}\" }\n",
			"roles/base/tasks/main.yml", "- debug: { msg: base }\n",
			"roles/tracker/tasks/main.yml", "- debug: { msg: tracker }\n",
			"roles/tracker/tasks/backup.yml", "- debug: { msg: backup }\n")
		require.NoError(t, err, strings.TrimSpace(m[1]))
	}
}
