package zstd

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	for _, level := range []string{"1", "3", "19"} {
		f := taskstest.Make(t, Spec().InPipe(), `{level: `+level+`}`).(pipe.Filter)
		_, onHost := f.HostStage()
		assert.False(t, onHost)
		text := bytes.Repeat([]byte("pages "), 100_000)
		var b bytes.Buffer
		w, err := f.Wrap(&b)
		require.NoError(t, err)
		_, err = w.Write(text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		assert.Less(t, b.Len(), len(text)/100)
		r, err := zstd.NewReader(&b)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		r.Close()
		assert.True(t, bytes.Equal(text, got))
	}
}

func TestAlone(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("zstd"); err != nil {
		if os.Getenv("REQUIRE_ZSTD") == "1" {
			t.Fatal(err)
		}
		t.Skip("no zstd here")
	}
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", []byte("lines"), 0o640))
	r, err := h.Check(t, Spec(), `{src: `+dir+`/f}`, dir)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	for _, want := range []bool{true, false} {
		r, err = h.Run(t, Spec(), `{src: `+dir+`/f}`)
		require.NoError(t, err)
		assert.Equal(t, want, r.Changed)
		assert.FileExists(t, dir+"/f.zst")
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{}`:                   `zstd needs "src"`,
		`{src: /a, dest: /a}`:  "the same file",
		`{src: /a, level: 20}`: "level 20 is not between 1 and 19",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
}
