package verifysize

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args    string
		bytes   int64
		earlier int64 // 0: none
		want    catalog.Proof
		fails   string
	}{
		{`{min: 4KiB}`, 4096, 0, catalog.Proof{Name: "size", Result: catalog.Passed, Detail: "4.0 KiB, at least 4.0 KiB"}, ""},
		{`{min: 4KiB}`, 4095, 0, catalog.Proof{}, "4.0 KiB is less than the minimum of 4.0 KiB (4095 of 4096 bytes)"},
		{`{max: 10}`, 10, 0, catalog.Proof{Name: "size", Result: catalog.Passed, Detail: "10 B, at most 10 B"}, ""},
		{`{max: 10}`, 11, 0, catalog.Proof{}, "11 B is more than the maximum of 10 B (11 of 10 bytes)"},
		{`{min_ratio_to_previous: 0.8}`, 80, 100, catalog.Proof{Name: "size", Result: catalog.Passed, Detail: "80 B, at least 0.8 of the earlier 100 B"}, ""},
		{`{min_ratio_to_previous: 0.8}`, 79, 100, catalog.Proof{}, "79 B is less than 0.8 of the earlier backup's 100 B"},
		{`{min_ratio_to_previous: 0.8}`, 79, 0, catalog.Proof{Name: "size", Result: catalog.Unknown, Detail: "79 B, no earlier backup to compare with"}, ""},
		{`{min: 1, min_ratio_to_previous: 0.8}`, 79, 0, catalog.Proof{Name: "size", Result: catalog.Passed, Detail: "79 B, at least 1 B, no earlier backup to compare with"}, ""},
	} {
		check := taskstest.Make(t, Spec().InPipe(), c.args).(pipe.Check)
		var prev *catalog.Artifact
		if c.earlier > 0 {
			prev = &catalog.Artifact{Size: c.earlier}
		}
		proof, err := check.Judge(helper.Measure{Bytes: c.bytes}, prev)
		if c.fails != "" {
			assert.EqualError(t, err, c.fails)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.want, proof)
	}
}

func TestAlone(t *testing.T) {
	t.Parallel()
	h, dir := taskstest.New(t), t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/f", make([]byte, 100), 0o600))
	for range 2 {
		r, err := h.Check(t, Spec(), `{path: `+dir+`/f, min: 100, max: 100}`, dir)
		require.NoError(t, err)
		assert.False(t, r.Changed)
		assert.EqualValues(t, 100, r.Outputs["size"])
	}
	for args, want := range map[string]string{
		`{path: ` + dir + `/f, min: 101}`: "/f: 100 B is less than the minimum of 101 B",
		`{path: ` + dir + `/f, max: 99}`:  "/f: 100 B is more than the maximum of 99 B",
		`{path: ` + dir + `, min: 1}`:     "is not a regular file",
		`{path: ` + dir + `/g, min: 1}`:   "no such file",
	} {
		_, err := h.Run(t, Spec(), args)
		assert.ErrorContains(t, err, want)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	in := Spec().InPipe()
	for args, want := range map[string]string{
		`{}`:                            "nothing to verify",
		`{min: 2KiB, max: 1KiB}`:        "min (2.0 KiB) is more than max (1.0 KiB)",
		`{min_ratio_to_previous: 1.2}`:  "it must be between 0 and 1",
		`{min_ratio_to_previous: -0.1}`: "it must be between 0 and 1",
		`{min: lots}`:                   `"lots" is not a size`,
		`{min: 1, path: /a}`:            `verify_size has no key "path"`,
	} {
		assert.Contains(t, taskstest.Mistake(t, in, args), want, args)
	}
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{min: 1}`), `verify_size needs "path"`)
	assert.Contains(t, taskstest.Mistake(t, Spec(), `{path: /a, min_ratio_to_previous: 1}`), `no key "min_ratio_to_previous"`)
}
