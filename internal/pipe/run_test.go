package pipe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

var content = bytes.Repeat([]byte("torrents and peers\n"), 50_000)

// newHost returns a host whose helper has the source "bytes".
func newHost(t *testing.T) *taskstest.Host {
	h := taskstest.New(t)
	h.Helper.Source = func(s helper.Stage) ([]byte, any, error) {
		if s.Name != "bytes" {
			return nil, nil, &helper.Error{Code: helper.CodeInvalid, Msg: "unknown source"}
		}
		return content, map[string]any{"files": 1}, nil
	}
	return h
}

func run(t *testing.T, ctx context.Context, h *taskstest.Host, s []pipe.Stage) (tasks.Result, error) {
	t.Helper()
	p, err := pipe.New(s)
	require.NoError(t, err)
	return p.Run(ctx, h.Host)
}

func TestHostSource(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filters []any
		labels  []string
		zipped  bool
		asked   int // filters of the helper
	}{
		"plain":            {nil, []string{"slurp (host)"}, false, 0},
		"filtered there":   {[]any{squeeze{host: true}}, []string{"slurp (host)", "gzip (host)"}, true, 1},
		"filtered here":    {[]any{squeeze{}}, []string{"slurp (host)", "gzip (controller)"}, true, 0},
		"told to stay":     {[]any{on("controller", squeeze{host: true})}, []string{"slurp (host)", "gzip (controller)"}, true, 0},
		"checked on a way": {[]any{atLeast{bytes: 900_000}, squeeze{host: true}, atLeast{bytes: 10}}, []string{"slurp (host)", "gzip (host)"}, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, report := newHost(t), ""
			all := append(append([]any{hostSource{report: &report, size: int64(len(content))}}, c.filters...), keep{name: "etc/data"})
			r, err := run(t, t.Context(), h, stages(all...))
			require.NoError(t, err)
			assert.True(t, r.Changed)
			assert.JSONEq(t, `{"files": 1}`, report)
			assert.Len(t, h.Helper.Calls()[0].Filters, c.asked)
			assert.Zero(t, h.Helper.Open(), "streams left open")

			got, err := os.ReadFile(r.Outputs["path"].(string))
			require.NoError(t, err)
			if c.zipped {
				got, err = gunzip(got)
				require.NoError(t, err)
			}
			assert.Equal(t, content, got)

			entry := h.Finish(t)
			a := entry.Manifest.Artifact("etc/data")
			require.NotNil(t, a)
			assert.Equal(t, c.labels, a.Stages)
			assert.Equal(t, []string{"slurp", "/data", "plain"}, []string{a.Kind, a.Source, a.Method})
			assert.Equal(t, "whole", a.Proofs[0].Name)
			assert.Equal(t, "digest", a.Proofs[1].Name)
			assert.InEpsilon(t, len(content), a.Details["seen"], 0)
			assert.Equal(t, r.Outputs["sha256"], a.SHA256)
			assert.Equal(t, r.Outputs["size"], a.Size)
			require.Len(t, h.Kept, 1)
			assert.Equal(t, "etc/data", h.Kept[0].Name)
			last := h.Progress[len(h.Progress)-1]
			assert.Equal(t, "copying", last.Phase)
			if c.asked == 0 {
				assert.EqualValues(t, len(content), last.Total)
			} else {
				assert.Zero(t, last.Total, "what gzip makes of it is not known")
			}
			assert.Positive(t, last.Wire)
		})
	}
}

func TestSpoolSource(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var seen helper.Measure
	proven := func(_ context.Context, h tasks.Host, path string) error {
		h.Progress(tasks.Progress{Phase: "checking"})
		data, err := os.ReadFile(path)
		if err == nil && !bytes.Equal(data, content) {
			err = errors.New("the spool differs")
		}
		// What SQLite may leave beside a database goes, too.
		return errors.Join(err, os.WriteFile(path+"-journal", nil, 0o600))
	}
	r, err := run(t, t.Context(), h, stages(spoolSource{content: content, prove: proven}, atLeast{seen: &seen}, squeeze{host: true}, keep{name: "db.gz"}))
	require.NoError(t, err)
	assert.EqualValues(t, len(content), seen.Bytes)
	dir := filepath.Dir(r.Outputs["path"].(string))
	assert.Equal(t, []string{"db.gz"}, names(t, dir), "nothing but the artifact is left")
	assert.Empty(t, h.Helper.Calls())

	a := h.Finish(t).Manifest.Artifact("db.gz")
	assert.Equal(t, []string{"sqlite_copy (host)", "gzip (controller)"}, a.Stages)
	assert.Equal(t, []string{"spooled", "integrity_check", "size"}, []string{a.Proofs[0].Name, a.Proofs[1].Name, a.Proofs[2].Name})
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// Whatever goes wrong, nothing is left, and the set knows what it lacks.
func TestFailuresLeaveNothing(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	host, spool, sink := hostSource{}, spoolSource{content: content}, keep{name: "a"}
	unproven := spoolSource{content: content, prove: func(context.Context, tasks.Host, string) error { return boom }}
	for name, c := range map[string]struct {
		stages []pipe.Stage
		spoil  func(*taskstest.Helper)
		want   string
	}{
		"source refuses":  {stages(hostSource{prepare: boom}, sink), nil, "slurp: boom"},
		"source's report": {stages(hostSource{accept: boom}, sink), nil, "slurp: boom"},
		"no room":         {stages(hostSource{size: 1 << 60}, sink), nil, "no space left for backups"},
		"check refuses":   {stages(host, atLeast{bytes: 1 << 30}, sink), nil, "verify_size: too small"},
		"filter refuses":  {stages(host, squeeze{wrap: boom}, sink), nil, "boom"},
		"second refuses":  {stages(host, squeeze{wrap: boom}, squeeze{}, sink), nil, "boom"},
		"link cut":        {stages(host, squeeze{}, sink), func(h *taskstest.Helper) { h.Cut = 1000 }, "the link was cut"},
		"helper fails":    {stages(host, sink), func(h *taskstest.Helper) { h.Source = nil }, "unknown source"},
		"bytes differ":    {stages(host, sink), func(h *taskstest.Helper) { h.Lie = func(r *helper.StreamResult) { r.Stages[0].Bytes++ } }, "the host has sent 950001 bytes, 950000 have arrived"},
		"digest differs": {stages(host, squeeze{}, sink), func(h *taskstest.Helper) {
			h.Lie = func(r *helper.StreamResult) { r.Stages[0].SHA256 = "feedfeedfeedfeed" }
		}, "what has arrived differs from what the host has sent"},
		"too few measures": {stages(host, squeeze{host: true}, sink), func(h *taskstest.Helper) { h.Lie = func(r *helper.StreamResult) { r.Stages = r.Stages[:1] } }, "the host reports on 1 stages, 2 were asked for"},
		"no measures":      {stages(host, sink), func(h *taskstest.Helper) { h.Lie = func(r *helper.StreamResult) { r.Stages = nil } }, "the host reports on 0 stages"},
		"spool fails":      {stages(spoolSource{content: content, err: boom}, sink), nil, "sqlite_copy: boom"},
		"proof fails":      {stages(unproven, squeeze{}, sink), nil, "sqlite_copy: boom"},
		"spool's check":    {stages(spool, squeeze{}, atLeast{bytes: 1 << 30}, sink), nil, "verify_size: too small"},
		"spool's filter":   {stages(spool, squeeze{wrap: boom}, sink), nil, "boom"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			if c.spoil != nil {
				c.spoil(h.Helper)
			}
			r, err := run(t, t.Context(), h, c.stages)
			require.ErrorContains(t, err, c.want)
			assert.False(t, r.Changed)
			assert.Empty(t, h.Kept)
			assert.Zero(t, h.Helper.Open(), "streams left open")
			set, err := h.Set()
			require.NoError(t, err)
			assert.Empty(t, names(t, set.Dir()))

			// Another pipe succeeds, so that the set lives and says what it lacks.
			_, err = run(t, t.Context(), h, stages(spool, keep{name: "other"}))
			require.NoError(t, err)
			m := h.Finish(t).Manifest
			require.Len(t, m.Problems, 1)
			assert.Equal(t, "a", m.Problems[0].Artifact)
			assert.Contains(t, m.Problems[0].Error, c.want)
			assert.Nil(t, m.Artifact("a"))
		})
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted")
	t.Run("in the middle of the stream", func(t *testing.T) {
		t.Parallel()
		h := newHost(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		gate := make(chan struct{})
		h.Helper.Gate = gate
		go func() {
			gate <- struct{}{}
			gate <- struct{}{}
			cancel(interrupted)
		}()
		_, err := run(t, ctx, h, stages(hostSource{}, squeeze{}, keep{name: "a"}))
		require.ErrorIs(t, err, interrupted)
		assertNothing(t, h)
	})
	t.Run("while the spool is proven", func(t *testing.T) {
		t.Parallel()
		h := newHost(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		wait := func(ctx context.Context, _ tasks.Host, _ string) error {
			cancel(interrupted)
			<-ctx.Done()
			return context.Cause(ctx)
		}
		_, err := run(t, ctx, h, stages(spoolSource{content: content, prove: wait}, squeeze{}, keep{name: "a"}))
		require.ErrorIs(t, err, interrupted)
		assertNothing(t, h)
	})
	t.Run("after the last byte", func(t *testing.T) {
		t.Parallel()
		h := newHost(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		h.Host.Progress = func(p tasks.Progress) {
			if p.Done == int64(len(content)) {
				cancel(interrupted)
			}
		}
		_, err := run(t, ctx, h, stages(hostSource{}, keep{name: "a"}))
		require.ErrorIs(t, err, interrupted)
		assertNothing(t, h)
	})
}

func assertNothing(t *testing.T, h *taskstest.Host) {
	t.Helper()
	set, err := h.Set()
	require.NoError(t, err)
	assert.Empty(t, names(t, set.Dir()))
	assert.Empty(t, h.Kept)
	assert.Zero(t, h.Helper.Open())
}

func TestCheckModeTouchesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	p, err := pipe.New(stages(hostSource{}, squeeze{host: true}, keep{name: "a.gz"}))
	require.NoError(t, err)
	r, err := p.(tasks.Checker).Check(t.Context(), h.Host)
	require.NoError(t, err)
	assert.True(t, r.Changed)
	assert.Equal(t, "would bring /data home as a.gz: slurp (host), gzip (host)", r.Note)
	assert.False(t, h.Began(), "no set was begun")
	assert.Empty(t, h.Helper.Calls())

	p, err = pipe.New(stages(hostSource{look: errors.New("no such file")}, keep{name: "a.gz"}))
	require.NoError(t, err)
	_, err = p.(tasks.Checker).Check(t.Context(), h.Host)
	require.EqualError(t, err, "slurp: no such file")

	p, err = pipe.New(stages(spoolSource{}, keep{name: "../a"}))
	require.NoError(t, err)
	_, err = p.(tasks.Checker).Check(t.Context(), h.Host)
	require.Error(t, err)
}

// A check compares with the same place of the newest set that came the same way.
func TestChecksCompareLikeWithLike(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	var before, after *catalog.Artifact
	zip := func(place string) []pipe.Stage {
		return stages(hostSource{}, atLeast{prev: &before}, on(place, squeeze{host: true}), atLeast{prev: &after}, keep{name: "a.gz"})
	}
	r, err := run(t, t.Context(), h, zip("host"))
	require.NoError(t, err)
	assert.Nil(t, before)
	assert.Nil(t, after)
	h.Finish(t)

	_, err = run(t, t.Context(), h, zip("host"))
	require.NoError(t, err)
	require.NotNil(t, before)
	assert.EqualValues(t, len(content), before.Size)
	require.NotNil(t, after)
	assert.Equal(t, r.Outputs["size"], after.Size)
	h.Finish(t)

	_, err = run(t, t.Context(), h, zip("controller"))
	require.NoError(t, err)
	require.NotNil(t, before, "the source is the same")
	assert.Nil(t, after, "another compressor gives another size")
}

func TestNamesAreJudged(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	_, err := run(t, t.Context(), h, stages(hostSource{}, keep{name: "../escape"}))
	require.Error(t, err)
	assert.False(t, h.Began())

	_, err = run(t, t.Context(), h, stages(hostSource{}, keep{name: "a"}))
	require.NoError(t, err)
	_, err = run(t, t.Context(), h, stages(hostSource{}, keep{name: "a"}))
	require.ErrorContains(t, err, "two tasks have the same dest")
}

// The chain must not mistake a lost link for the end of the stream.
func TestWrappedEndIsNoEnd(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.Helper.Source = func(helper.Stage) ([]byte, any, error) {
		return nil, nil, errors.Join(errors.New("connection lost"), io.EOF)
	}
	_, err := run(t, t.Context(), h, stages(hostSource{}, keep{name: "a"}))
	require.ErrorContains(t, err, "connection lost")
}
