package tasks

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{
		"0": 0, "4096": 4096, "4KiB": 4096, "4k": 4096, "4 KB": 4000, "1.5 GB": 1.5e9, "10M": 10 << 20, " 2 GiB ": 2 << 30, "1T": 1 << 40, "7b": 7,
	} {
		got, err := ParseSize(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "k", "1.2.3", "-1", "4 KiBs", "many", "9999999T", "1e3"} {
		_, err := ParseSize(text)
		assert.Error(t, err, text)
	}
}

func TestSizeText(t *testing.T) {
	t.Parallel()
	for size, want := range map[Size]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 102_030_405: "97.3 MiB", 1 << 40: "1.0 TiB", 1 << 62: "4.0 EiB",
		1<<20 - 1: "1.0 MiB", -5: "-5 B",
	} {
		assert.Equal(t, want, size.String())
	}
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1": time.Second, "1.5": 1500 * time.Millisecond, "1m30s": 90 * time.Second, " 500ms ": 500 * time.Millisecond, "0": 0,
	} {
		got, err := ParseDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "soon", "1e99", "NaN", "inf", "1 day"} {
		_, err := ParseDuration(text)
		assert.Error(t, err, text)
	}
}

func TestModeBits(t *testing.T) {
	t.Parallel()
	for mode, want := range map[Mode]fs.FileMode{
		"": 0o123, "0644": 0o644, "644": 0o644, "0o600": 0o600, "4755": fs.ModeSetuid | 0o755, "2750": fs.ModeSetgid | 0o750, "1777": fs.ModeSticky | 0o777,
	} {
		got, err := mode.Bits(0o123)
		require.NoError(t, err, mode)
		assert.Equal(t, want, got, mode)
	}
	for _, mode := range []Mode{"0888", "u=rw", "17777", "-1"} {
		_, err := mode.Bits(0)
		assert.Error(t, err, mode)
	}
}

func TestExpr(t *testing.T) {
	t.Parallel()
	v, err := Expr{}.Value()
	require.NoError(t, err)
	assert.Nil(t, v)
	for _, c := range []struct {
		value any
		want  bool
		fails bool
	}{
		{true, true, false}, {false, false, false}, {nil, false, false}, {int64(0), false, false}, {int64(2), true, false},
		{0, false, false}, {3, true, false}, {0.0, false, false}, {0.5, true, false}, {"yes", true, false}, {"False", false, false},
		{"", false, false}, {"perhaps", false, true}, {[]any{}, false, false}, {[]any{nil}, true, false},
		{map[string]any{}, false, false}, {map[string]any{"a": 1}, true, false}, {errors.New("undefined"), false, true},
	} {
		e := Expr{Text: "x", eval: func(string) (any, error) {
			if err, ok := c.value.(error); ok {
				return nil, err
			}
			return c.value, nil
		}}
		got, err := e.True()
		assert.Equal(t, c.want, got, "%v", c.value)
		assert.Equal(t, c.fails, err != nil, "%v: %v", c.value, err)
	}
}
