package pipe_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/pipe"
)

func TestMistakes(t *testing.T) {
	t.Parallel()
	host, spool, zip, sink := hostSource{}, spoolSource{}, squeeze{host: true}, keep{name: "a"}
	for name, c := range map[string]struct {
		stages []pipe.Stage
		want   []string
	}{
		"whole":              {stages(host, zip, atLeast{}, sink), nil},
		"shortest":           {stages(spool, sink), nil},
		"honoured":           {stages(on("host", host), on("host", zip), on("controller", zip), on("controller", atLeast{}), on("controller", sink)), nil},
		"empty":              {nil, []string{"a pipe needs stages (a source first, then filters and checks, then fetch)"}},
		"no source":          {stages(zip, sink), []string{"stage 1 (gzip): a pipe begins with a source, gzip is a filter (begin with what reads the data, such as sqlite_copy or config_tar)"}},
		"no sink":            {stages(host, zip), []string{"stage 2 (gzip): a pipe ends with what keeps the artifact, gzip is a filter (end with fetch: { dest: NAME })"}},
		"source alone":       {stages(host), []string{"stage 1 (slurp): a pipe ends with what keeps the artifact, slurp is a source (end with fetch: { dest: NAME })"}},
		"two sources":        {stages(host, spool, sink), []string{"stage 2 (sqlite_copy): sqlite_copy is a source and can only be the first stage (make a second pipe of it)"}},
		"sink in the middle": {stages(host, sink, sink), []string{"stage 2 (fetch): fetch ends the pipe, there is a stage after it (move it to the end)"}},
		"no stage":           {stages(host, none{}, sink), []string{"stage 2 (debug): debug cannot be a stage of a pipe (write it as a task of its own)"}},
		"bad place":          {stages(host, on("mars", zip), sink), []string{"stage 2 (gzip): on: mars: no such place (write host or controller)"}},
		"source here":        {stages(on("controller", host), sink), []string{"stage 1 (slurp): on: controller: a source always runs on the host (leave it out)"}},
		"sink there":         {stages(host, on("host", sink)), []string{"stage 2 (fetch): on: host: a sink always runs on the controller (leave it out)"}},
		"check there":        {stages(host, on("host", atLeast{}), sink), []string{"stage 2 (verify_size): on: host: a check always runs on the controller (leave it out)"}},
		"filter of spool":    {stages(spool, on("host", zip), sink), []string{"stage 2 (gzip): on: host: what sqlite_copy reads is whole only on the controller (leave it out)"}},
		"filter of ours":     {stages(host, on("host", squeeze{}), sink), []string{"stage 2 (gzip): on: host: gzip can run only on the controller (leave it out)"}},
		"back to the host":   {stages(host, on("controller", zip), on("host", zip), sink), []string{"stage 3 (gzip): on: host: a stage before it runs on the controller"}},
		"all at once":        {stages(zip, host), []string{"stage 1 (gzip): a pipe begins with a source, gzip is a filter (begin with what reads the data, such as sqlite_copy or config_tar)", "stage 2 (slurp): slurp is a source and can only be the first stage (make a second pipe of it)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, m := range pipe.Mistakes(c.stages) {
				got = append(got, m.Error())
			}
			assert.Equal(t, c.want, got)
			_, err := pipe.New(c.stages)
			assert.Equal(t, c.want == nil, err == nil)
			for _, want := range c.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestPlacement(t *testing.T) {
	t.Parallel()
	const h, c = pipe.OnHost, pipe.OnController
	there, here, sink := squeeze{host: true}, squeeze{}, keep{name: "a"}
	for name, test := range map[string]struct {
		stages []pipe.Stage
		want   []pipe.Place
	}{
		"filters follow the bytes":        {stages(hostSource{}, there, atLeast{}, there, sink), []pipe.Place{h, h, c, h, c}},
		"until one cannot":                {stages(hostSource{}, there, here, there, sink), []pipe.Place{h, h, c, c, c}},
		"or must not":                     {stages(hostSource{}, on("controller", there), there, sink), []pipe.Place{h, c, c, c}},
		"a spool is filtered where it is": {stages(spoolSource{}, there, sink), []pipe.Place{h, c, c}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Empty(t, pipe.Mistakes(test.stages))
			assert.Equal(t, test.want, pipe.Placement(test.stages))
		})
	}
}
