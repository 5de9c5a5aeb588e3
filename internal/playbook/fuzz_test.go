package playbook_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/torrust/runner/internal/playbook"
)

// breaks are the line breaks of YAML 1.1, section 4.2.
var breaks = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// FuzzParse: reading a playbook never panics, and every mistake has a place
// within the file.
func FuzzParse(f *testing.F) {
	bad, err := filepath.Glob("../plan/testdata/*/*.txtar")
	require.NoError(f, err)
	for _, path := range bad {
		a, err := txtar.ParseFile(path)
		require.NoError(f, err)
		f.Add(a.Files[0].Data)
	}
	f.Add([]byte("- hosts: all\n  tasks:\n    - pipe: [gzip, {fetch: }, on: host]\n    - {command: \"a 'b\"}"))
	f.Add([]byte("- hosts: [a, *x]\n- &x import_playbook: site.yml"))
	f.Fuzz(func(t *testing.T, text []byte) {
		pb, err := playbook.Parse("site.yml", text, playbook.Options{
			Kinds:    kinds{},
			ReadFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist },
		})
		require.NoError(t, err)
		lines := breaks.Split(string(text), -1)
		for _, e := range pb.Mistakes {
			require.Equal(t, "site.yml", e.Pos.File, e.Error())
			require.LessOrEqual(t, e.Pos.Line, max(len(lines), 1), e.Error())
			if e.Pos.Line > 0 {
				require.LessOrEqual(t, e.Pos.Col, len(lines[e.Pos.Line-1])+1, e.Error())
			}
		}
	})
}
