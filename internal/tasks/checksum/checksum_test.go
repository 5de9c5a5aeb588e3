package checksum

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func TestJudge(t *testing.T) {
	t.Parallel()
	for args, fails := range map[string]bool{
		`{}`: false, `{sha256: ` + hello + `}`: false, `{sha256: ` + strings.ToUpper(hello) + `}`: false,
		`{sha256: "` + strings.Repeat("0", 64) + `"}`: true,
	} {
		proof, err := taskstest.Make(t, Spec().InPipe(), args).(pipe.Check).Judge(helper.Measure{Bytes: 5, SHA256: hello}, nil)
		assert.Equal(t, fails, err != nil, args)
		assert.Equal(t, catalog.Proof{Name: "checksum", Result: catalog.Passed, Detail: "sha256 " + hello}, proof)
	}
}

func TestAlone(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("hello"), 0o600))
	r, err := h.Check(t, Spec(), `{path: `+dir+`/f, sha256: `+hello+`}`, dir)
	require.NoError(t, err)
	assert.False(t, r.Changed)
	assert.Equal(t, []any{hello, int64(5)}, []any{r.Outputs["sha256"], r.Outputs["size"]})
	for args, want := range map[string]string{
		`{path: ` + dir + `/f, sha256: "` + strings.Repeat("0", 64) + `"}`: "the SHA-256 is " + hello + ", not 0000",
		`{path: ` + dir + `/g}`: "does not exist",
		`{path: ` + dir + `}`:   "is not a regular file",
	} {
		_, err := h.Run(t, Spec(), args)
		assert.ErrorContains(t, err, want, args)
	}
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{path: /a, sha256: abc}`), "is not 64 hex digits")
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{}`), `checksum needs "path"`)
}
