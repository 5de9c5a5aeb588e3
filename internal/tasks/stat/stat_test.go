package stat

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/tasks/taskstest"
)

func look(t *testing.T, dir, args string) map[string]any {
	t.Helper()
	h := taskstest.New(t)
	r, err := h.Check(t, Spec(), args, dir)
	require.NoError(t, err)
	assert.False(t, r.Changed)
	again, err := h.Run(t, Spec(), args)
	require.NoError(t, err)
	s, secondly := r.Outputs["stat"].(map[string]any), again.Outputs["stat"].(map[string]any)
	delete(s, "atime") // reading it is an access
	delete(secondly, "atime")
	assert.Equal(t, s, secondly, "check mode tells the same")
	return s
}

func TestStat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	when := time.Unix(1_700_000_000, 0)
	require.NoError(t, os.WriteFile(dir+"/f", []byte("hello"), 0o640))
	require.NoError(t, os.Chtimes(dir+"/f", when, when))
	require.NoError(t, os.Symlink("f", dir+"/link"))
	require.NoError(t, os.Symlink("nowhere", dir+"/broken"))

	s := look(t, dir, `{path: `+dir+`/f}`)
	for key, want := range map[string]any{
		"exists": true, "path": dir + "/f", "mode": "0640", "size": int64(5), "isreg": true, "isdir": false, "islnk": false,
		"uid": int64(os.Getuid()), "gid": int64(os.Getgid()), "mtime": 1.7e9, "nlink": int64(1),
		"checksum": "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "rusr": true, "wusr": true, "xusr": false, "rgrp": true, "wgrp": false, "roth": false,
		"readable": true, "writeable": true, "isuid": false,
	} {
		assert.Equal(t, want, s[key], key)
	}
	assert.NotContains(t, s, "lnk_target")

	s = look(t, dir, `{path: `+dir+`/f, checksum_algorithm: sha256}`)
	assert.Equal(t, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", s["checksum"])
	assert.NotContains(t, look(t, dir, `{path: `+dir+`/f, get_checksum: no}`), "checksum")

	s = look(t, dir, `{path: `+dir+`/link}`)
	assert.Equal(t, []any{true, "f", dir + "/f"}, []any{s["islnk"], s["lnk_target"], s["lnk_source"]})
	assert.NotContains(t, s, "checksum")
	s = look(t, dir, `{path: `+dir+`/link, follow: true}`)
	assert.Equal(t, []any{false, true}, []any{s["islnk"], s["isreg"]})
	assert.Equal(t, true, look(t, dir, `{path: `+dir+`/broken}`)["islnk"])
	assert.Equal(t, map[string]any{"exists": false}, look(t, dir, `{path: `+dir+`/broken, follow: true}`))

	assert.Equal(t, map[string]any{"exists": false}, look(t, dir, `{path: `+dir+`/none}`))
	assert.Equal(t, map[string]any{"exists": false}, look(t, dir, `{path: `+dir+`/f/below}`))
	assert.Equal(t, true, look(t, dir, `{dest: `+dir+`}`)["isdir"])
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{}`:                                 `stat needs "path"`,
		`{path: /, checksum_algorithm: crc}`: `"checksum_algorithm" cannot be "crc"`,
		`{path: /, get_mime: yes}`:           "get_mime is not supported",
		`{path: /, get_attributes: yes}`:     "get_attributes is not supported",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
