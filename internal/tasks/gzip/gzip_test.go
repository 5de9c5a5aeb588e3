package gzip

import (
	"bytes"
	stdgzip "compress/gzip"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks/internal/compress"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func gunzip(t *testing.T, data []byte) string {
	t.Helper()
	z, err := stdgzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	out, err := io.ReadAll(z)
	require.NoError(t, err)
	return string(out)
}

func TestFilter(t *testing.T) {
	t.Parallel()
	f := taskstest.Make(t, Spec().InPipe(), `{level: 6}`).(pipe.Filter)
	stage, ok := f.HostStage()
	assert.True(t, ok)
	assert.Equal(t, "gzip", stage.Name)
	assert.Equal(t, compress.GzipParams{Level: 6}, stage.Params)

	text := bytes.Repeat([]byte("pages "), 500_000)
	for range 2 {
		var b bytes.Buffer
		w, err := f.Wrap(&b)
		require.NoError(t, err)
		_, err = w.Write(text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		assert.Less(t, b.Len(), len(text)/100)
		assert.True(t, string(text) == gunzip(t, b.Bytes()))
	}
}

func TestAlone(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	src := dir + "/log 1"
	when := time.Unix(1_700_000_000, 0)
	require.NoError(t, os.WriteFile(src, []byte("lines"), 0o640))
	require.NoError(t, os.Chtimes(src, when, when))
	args := `{src: ` + src + `}`
	r, err := h.Check(t, Spec(), args, dir)
	require.NoError(t, err)
	assert.True(t, r.Changed)

	for _, want := range []bool{true, false} {
		r, err = h.Run(t, Spec(), args)
		require.NoError(t, err)
		assert.Equal(t, want, r.Changed)
		data, err := os.ReadFile(src + ".gz")
		require.NoError(t, err)
		assert.Equal(t, "lines", gunzip(t, data))
		info, err := os.Stat(src + ".gz")
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o640), info.Mode())
		assert.True(t, info.ModTime().Equal(when))
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no temporary file is left")

	require.NoError(t, os.WriteFile(src, []byte("other lines"), 0o640))
	r, err = h.Check(t, Spec(), args, dir)
	require.NoError(t, err)
	assert.True(t, r.Changed)

	_, err = h.Run(t, Spec(), `{src: `+dir+`/none, dest: `+dir+`/x}`)
	require.ErrorContains(t, err, "no such file")
	assert.NoFileExists(t, dir+"/x")
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{}`:                     `gzip needs "src"`,
		`{src: /a, dest: /a}`:    "the same file",
		`{src: /a, level: 0}`:    "level 0 is not between 1 and 9",
		`{src: /a, level: 10}`:   "level 10 is not between 1 and 9",
		`{src: /a, level: best}`: `"level": must be an integer`,
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
	assert.Contains(t, taskstest.Mistake(t, Spec().InPipe(), `{src: /a}`), `gzip has no key "src"`)
}
