package plan_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/plan"
)

// TestMistakes compares what is said about bad playbooks with the last file
// of each archive. UPDATE=1 writes it anew.
func TestMistakes(t *testing.T) {
	t.Parallel()
	golden(t, "bad", func(t *testing.T, files []string) string {
		_, err := build(t, plan.Options{}, files...)
		require.Error(t, err)
		texts := map[string]string{}
		for i := 0; i < len(files); i += 2 {
			texts[files[i]] = files[i+1]
		}
		var b bytes.Buffer
		for _, e := range diag.All(err) {
			lines := strings.Split(texts[e.Pos.File], "\n")
			require.Contains(t, texts, e.Pos.File)
			require.LessOrEqual(t, e.Pos.Line, len(lines), e.Error())
			if e.Pos.Line > 0 {
				require.LessOrEqual(t, e.Pos.Col, len(lines[e.Pos.Line-1])+1, e.Error())
			}
			b.WriteString(e.Error() + "\n")
		}
		return b.String()
	})
}

// golden runs a function on the files of each archive below testdata/dir, and
// compares its result with the last file, "want".
func golden(t *testing.T, dir string, run func(t *testing.T, files []string) string) {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			require.NoError(t, err)
			var files []string
			var want string
			for i, f := range a.Files {
				if f.Name == "want" {
					want = string(f.Data)
					a.Files = a.Files[:i]
					break
				}
				files = append(files, f.Name, string(f.Data))
			}
			got := run(t, files)
			if os.Getenv("UPDATE") != "" {
				a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(got)})
				require.NoError(t, os.WriteFile(path, txtar.Format(a), 0o600))
				return
			}
			assert.Equal(t, want, got)
		})
	}
}
