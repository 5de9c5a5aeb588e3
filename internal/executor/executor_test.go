package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/event"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/redact"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

// act is a task kind whose behaviour is its argument do:
//
//	ok, change, fail, panic, wait (until ctx ends), connect (a command), fact NAME
type act struct {
	Do string `arg:"do,required"`
}

func (a *act) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	verb, arg, _ := strings.Cut(a.Do, " ")
	switch verb {
	case "change":
		return tasks.Result{Changed: true}, nil
	case "fail":
		return tasks.Result{Outputs: map[string]any{"rc": int64(1)}}, errors.New("no luck")
	case "panic":
		panic("oh no")
	case "wait":
		<-ctx.Done()
		return tasks.Result{}, context.Cause(ctx)
	case "connect":
		return tasks.Result{}, h.Conn.Run(ctx, conn.Cmd{Argv: []string{"true"}, Stdout: h.Stdout})
	case "fact":
		return tasks.Result{Facts: map[string]any{arg: h.Name}}, nil
	}
	return tasks.Result{}, nil
}

var actSpec = tasks.Spec{Name: "act", New: func() tasks.Task { return &act{} }}

// words is an Engine with just enough: "{{ name }}", and as conditions true,
// false, a name, or "not NAME".
type words struct{}

func (words) Expand(_ context.Context, v any, s template.Scope) (any, error) {
	text, ok := v.(string)
	if !ok {
		return v, nil
	}
	name, isName := strings.CutPrefix(text, "{{ ")
	if !isName {
		return v, nil
	}
	value, _, ok := s.Lookup(strings.TrimSuffix(name, " }}"))
	if !ok {
		return nil, &template.UndefinedError{Name: name}
	}
	return value, nil
}

func (w words) Eval(ctx context.Context, expr string, s template.Scope) (any, error) {
	switch expr {
	case "true", "false":
		return expr == "true", nil
	}
	return w.Expand(ctx, "{{ "+expr+" }}", s)
}

func (w words) Bool(ctx context.Context, expr string, s template.Scope) (bool, error) {
	name, not := strings.CutPrefix(expr, "not ")
	v, err := w.Eval(ctx, name, s)
	return (v != nil && v != false) != not, err
}

func (w words) Render(ctx context.Context, text string, s template.Scope, _ template.RenderOptions) (string, error) {
	v, err := w.Expand(ctx, text, s)
	return fmt.Sprint(v), err
}

// nodes makes a node of a literal.
func node(v any) *strictyaml.Node {
	n := &strictyaml.Node{Kind: strictyaml.String, Text: fmt.Sprint(v), Value: v}
	switch v := v.(type) {
	case bool:
		n.Kind = strictyaml.Bool
	case int64:
		n.Kind = strictyaml.Int
	case []any:
		n.Kind = strictyaml.Seq
		for _, item := range v {
			n.Items = append(n.Items, node(item))
		}
	}
	return n
}

func task(do string, change ...func(*plan.Task)) *plan.Task {
	args := &strictyaml.Node{Kind: strictyaml.Map, Pairs: []strictyaml.Pair{{Key: node("do"), Value: node(do)}}}
	t := &plan.Task{ID: fmt.Sprint(do, len(change)), Name: do, Kind: "act", Work: plan.Module{Spec: actSpec, Args: args}}
	for _, c := range change {
		c(t)
	}
	return t
}

func when(exprs ...string) func(*plan.Task) {
	return func(t *plan.Task) {
		for _, e := range exprs {
			t.When = append(t.When, plan.Expr{Text: e, Pos: diag.Pos{File: "p.yml", Line: 1, Col: 1}})
		}
	}
}

func steps(s ...plan.Step) []plan.Step { return s }

func meta(action string) *plan.Task {
	return &plan.Task{ID: action, Name: action, Kind: "meta", Work: plan.Meta{Action: action}}
}

// net is a Dialer whose hosts may be down or die.
type net struct {
	mu     sync.Mutex
	down   map[string]bool
	dies   map[string]bool
	dialed []string
	open   int
}

func (n *net) Dial(_ context.Context, t conn.Target) (conn.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dialed = append(n.dialed, t.Name)
	if n.down[t.Name] {
		return nil, &conn.DialError{Target: t, Stage: conn.StageConnect, Err: errors.New("connection refused"), Hint: "is it up?"}
	}
	n.open++
	return &line{net: n, target: t}, nil
}

func (*net) Close() error { return nil }

type line struct {
	net    *net
	target conn.Target
}

func (l *line) Run(_ context.Context, c conn.Cmd) error {
	if l.net.dies[l.target.Name] {
		return fmt.Errorf("run: %w", conn.ErrLost)
	}
	_, err := io.WriteString(c.Stdout, "hello from "+l.target.Name+"\nhunter2")
	return err
}
func (*line) Get(context.Context, string, io.Writer) (fs.FileInfo, error) { return nil, fs.ErrNotExist }
func (*line) Put(context.Context, string, io.Reader, fs.FileMode) error   { return nil }
func (*line) Stat(context.Context, string) (fs.FileInfo, error)           { return nil, fs.ErrNotExist }
func (l *line) As(conn.Become) conn.Conn                                  { return l }
func (l *line) Peer() conn.Peer                                           { return conn.Peer{Addr: l.target.Name + ":22"} }
func (l *line) Close() error {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.net.open--
	return nil
}

// record is a sink that keeps what matters of every event as a line.
type record struct {
	lines  []string
	counts map[string]event.Counts
	all    bytes.Buffer
}

func (r *record) Emit(e event.Event) {
	fmt.Fprintf(&r.all, "%+v\n", e)
	switch e := e.(type) {
	case event.TaskStarted:
		r.lines = append(r.lines, "TASK "+e.Task.Name)
	case event.ItemFinished:
		r.lines = append(r.lines, fmt.Sprintf("  %s %s item=%s", e.Status, e.Host, e.Label))
	case event.StepFinished:
		r.lines = append(r.lines, fmt.Sprintf("%s %s", e.Status, e.Host))
	case event.Retrying:
		r.lines = append(r.lines, fmt.Sprintf("retry %s left=%d", e.Host, e.Left))
	case event.NoMoreHosts:
		r.lines = append(r.lines, "NO MORE HOSTS")
	case event.NoHosts:
		r.lines = append(r.lines, "no hosts")
	case event.RunFinished:
		r.counts = e.Hosts
	}
}

func (*record) Close() error { return nil }

// bench is all that a run needs.
type bench struct {
	net    *net
	record *record
	opts   Options
}

func newBench(t *testing.T) *bench {
	t.Helper()
	store, err := catalog.Open(t.TempDir())
	require.NoError(t, err)
	b := &bench{net: &net{down: map[string]bool{}, dies: map[string]bool{}}, record: &record{}}
	b.opts = Options{
		Dialer: b.net,
		Target: func(name string, _ map[string]any) (conn.Target, error) { return conn.Target{Name: name}, nil },
		Helper: func(conn.Conn) helper.Caller { return nil },
		Engine: words{}, Sink: event.Tee(b.record), Secrets: new(redact.Set), Store: store,
		Forks: 10, RunID: "id", Now: time.Now,
	}
	return b
}

func hostsNamed(names ...string) []*plan.Host {
	var out []*plan.Host
	for _, n := range names {
		h := &plan.Host{Name: n, Groups: []string{"g"}}
		h.Vars = vars.Stack{}.With(vars.Layer{Level: vars.InventoryHost, Values: map[string]any{"is_" + n: true, "some_password": "hunter2"}})
		out = append(out, h)
	}
	return out
}

func planOf(plays ...*plan.Play) *plan.Plan {
	p := &plan.Plan{Plays: plays, Hosts: map[string]*plan.Host{}, Groups: map[string][]string{}}
	for _, play := range plays {
		for _, h := range play.Hosts {
			p.Hosts[h.Name] = h
		}
	}
	return p
}

func playOf(strategy string, hosts []*plan.Host, tasks ...plan.Step) *plan.Play {
	return &plan.Play{Name: "p", Strategy: strategy, Hosts: hosts, Sections: [][]plan.Step{tasks}}
}

func TestLinear(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := playOf("linear", hostsNamed("a", "b"),
		task("change"),
		task("fail", when("is_a")),
		task("ok", func(t *plan.Task) { t.Register = "r" }),
		task("ok", when("r", "missing")),
	)
	// The condition is about a variable of the host: b does not have is_a.
	p.Hosts[1].Vars = p.Hosts[1].Vars.With(vars.Layer{Level: vars.HostVars, Values: map[string]any{"is_a": false, "missing": false}})
	err := New(b.opts).Run(t.Context(), planOf(p))
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok, err)
	assert.False(t, failed.Unreachable())
	got := strings.Join(b.record.lines, "\n")
	for _, want := range []string{"failed a", "skipped b", "ok b\n", "TASK change"} {
		assert.Contains(t, got, want)
	}
	assert.NotContains(t, got[strings.Index(got, "failed a")+8:], " a", "a failed host does nothing more")
	assert.Equal(t, event.Counts{OK: 1, Changed: 1, Failed: 1}, b.record.counts["a"])
	assert.Equal(t, event.Counts{OK: 2, Changed: 1, Skipped: 2}, b.record.counts["b"])
}

// TestInStep: with the linear strategy no host begins a task before all have
// ended the one before it.
func TestInStep(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var list []plan.Step
	for i := range 20 {
		list = append(list, task(fmt.Sprint("ok ", i)))
	}
	require.NoError(t, New(b.opts).Run(t.Context(), planOf(playOf("linear", hostsNamed("a", "b", "c", "d"), list...))))
	for i := 0; i < len(b.record.lines); i += 5 {
		assert.Equal(t, fmt.Sprint("TASK ok ", i/5), b.record.lines[i])
		group := slices.Clone(b.record.lines[i+1 : i+5])
		slices.Sort(group)
		assert.Equal(t, []string{"ok a", "ok b", "ok c", "ok d"}, group)
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		steps []plan.Step
		want  string
		err   bool
	}{
		"rescued": {steps(&plan.Block{Body: steps(task("fail"), task("ok 1")), Rescue: steps(task("ok 2")), Always: steps(task("ok 3"))}, task("ok 4")),
			"rescued a, ok a, ok a, ok a", false},
		"rescue fails": {steps(&plan.Block{Body: steps(task("fail")), Rescue: steps(task("fail", when("true"))), Always: steps(task("ok 3"))}, task("ok 4")),
			"rescued a, failed a, ok a", true},
		"always after failure": {steps(&plan.Block{Body: steps(task("fail")), Always: steps(task("ok 3"))}, task("ok 4")), "failed a, ok a", true},
		"inner failure, outer rescue": {steps(&plan.Block{Body: steps(&plan.Block{Body: steps(task("fail")), Always: steps(task("ok 1"))}), Rescue: steps(task("ok 2"))}),
			"rescued a, ok a, ok a", false},
		"the rescue knows what failed": {steps(&plan.Block{Body: steps(task("fail")), Rescue: steps(task("ok", when("ansible_failed_task", "ansible_failed_result")))}), "rescued a, ok a", false},
		"ignored":                      {steps(task("fail", func(t *plan.Task) { t.Keywords.IgnoreErrors = node(true) }), task("ok")), "ignored a, ok a", false},
		"panic":                        {steps(task("panic"), task("ok")), "failed a", true},
		"undefined condition":          {steps(task("ok", when("nothing"))), "failed a", true},
		"end_host":                     {steps(meta("end_host"), task("ok")), "", false},
		"changed_when and failed_when": {steps(task("change", func(t *plan.Task) {
			t.ChangedWhen = []plan.Expr{{Text: "false"}}
			t.FailedWhen = []plan.Expr{{Text: "false"}}
		}), task("ok", func(t *plan.Task) { t.FailedWhen = []plan.Expr{{Text: "true"}} })), "ok a, failed a", true},
	} {
		b := newBench(t)
		err := New(b.opts).Run(t.Context(), planOf(playOf("linear", hostsNamed("a"), tt.steps...)))
		assert.Equal(t, tt.err, err != nil, name)
		var outcomes []string
		for _, l := range b.record.lines {
			if !strings.HasPrefix(l, "TASK") {
				outcomes = append(outcomes, l)
			}
		}
		assert.Equal(t, tt.want, strings.Join(outcomes, ", "), name)
	}
}

func TestUnreachableAndLost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.net.down["a"], b.net.dies["b"] = true, true
	p := playOf("free", hostsNamed("a", "b", "c"), &plan.Block{Body: steps(task("connect")), Rescue: steps(task("ok")), Always: steps(task("ok"))})
	err := New(b.opts).Run(t.Context(), planOf(p))
	failed, ok := errors.AsType[*RunError](err)
	require.True(t, ok, err)
	assert.True(t, failed.Unreachable())
	assert.Equal(t, event.Counts{Unreachable: 1}, b.record.counts["a"], "neither rescue nor always can reach it")
	assert.Equal(t, event.Counts{Unknown: 1}, b.record.counts["b"])
	assert.Equal(t, event.Counts{OK: 2}, b.record.counts["c"])
	assert.Zero(t, b.net.open, "every connection is closed")
	assert.Contains(t, b.record.all.String(), "is it up?")
	assert.Contains(t, b.record.all.String(), "hello from c")
	assert.NotContains(t, b.record.all.String(), "hunter2", "a password by its name is masked")
}

func TestTasksThatNeedNoConnectionMakeNone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.NoError(t, New(b.opts).Run(t.Context(), planOf(playOf("linear", hostsNamed("a"), task("ok")))))
	assert.Empty(t, b.net.dialed)
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("interrupted")
		time.AfterFunc(time.Minute, func() { cancel(stop) })
		p := playOf("linear", hostsNamed("a", "b"), &plan.Block{Body: steps(task("wait")), Always: steps(task("ok"))}, task("ok 2"))
		err := New(b.opts).Run(ctx, planOf(p))
		require.ErrorIs(t, err, stop)
		for _, host := range []string{"a", "b"} {
			assert.Equal(t, event.Counts{Interrupted: 1, OK: 1}, b.record.counts[host], "always runs, what follows does not")
		}
	})
}

func TestTimeoutAndRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := playOf("linear", hostsNamed("a"),
			task("wait", func(t *plan.Task) {
				t.Keywords.Timeout, t.Keywords.IgnoreErrors = node(int64(30)), node(true)
			}),
			task("fail", func(t *plan.Task) { t.Retry = &plan.Retry{Retries: node(int64(2)), Delay: node(int64(60))} }),
		)
		began := time.Now()
		require.Error(t, New(b.opts).Run(t.Context(), planOf(p)))
		assert.Equal(t, 30*time.Second+2*time.Minute, time.Since(began))
		assert.Equal(t, []string{"TASK wait", "ignored a", "TASK fail", "retry a left=2", "retry a left=1", "failed a"}, b.record.lines)
		assert.Contains(t, b.record.all.String(), "task timed out after 30s")
		assert.Contains(t, b.record.all.String(), "attempts:3")
	})
}

func TestLoop(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := playOf("linear", hostsNamed("a"),
		task("ok", func(t *plan.Task) {
			t.Loop = &plan.Loop{Items: node([]any{"x", "y"}), Var: "item", IndexVar: "i", Extended: true}
			t.Register = "r"
		}, when("item")),
		task("fail", func(t *plan.Task) { t.Loop = &plan.Loop{Items: node([]any{"x", "y"}), Var: "item"} }),
	)
	require.Error(t, New(b.opts).Run(t.Context(), planOf(p)))
	assert.Equal(t, []string{
		"TASK ok", "  ok a item=x", "  ok a item=y", "ok a",
		"TASK fail", "  failed a item=x", "  failed a item=y", "failed a",
	}, b.record.lines)
	assert.Equal(t, event.Counts{OK: 1, Failed: 1}, b.record.counts["a"])
}

func TestHandlers(t *testing.T) {
	t.Parallel()
	notify := func(t *plan.Task) { t.Notify = []*strictyaml.Node{node("second"), node("topic")} }
	for name, tt := range map[string]struct {
		tasks []plan.Step
		force bool
		want  []string
	}{
		"in the order of definition, once": {steps(task("change", notify), task("change 2", notify)), false,
			[]string{"TASK change", "changed a", "TASK change 2", "changed a", "TASK first", "ok a", "TASK second", "ok a"}},
		"not if nothing changed":     {steps(task("ok", notify)), false, []string{"TASK ok", "ok a"}},
		"not on a host that failed":  {steps(task("change", notify), task("fail")), false, []string{"TASK change", "changed a", "TASK fail", "failed a"}},
		"unless forced":              {steps(task("change", notify), task("fail")), true, []string{"TASK change", "changed a", "TASK fail", "failed a", "TASK first", "ok a", "TASK second", "ok a"}},
		"flushed when the play says": {steps(task("change", notify), meta("flush_handlers"), task("ok")), false, []string{"TASK change", "changed a", "TASK first", "ok a", "TASK second", "ok a", "TASK ok", "ok a"}},
	} {
		b := newBench(t)
		p := playOf("linear", hostsNamed("a"), tt.tasks...)
		p.ForceHandlers = tt.force
		p.Handlers = []*plan.Task{
			task("ok", func(t *plan.Task) { t.Name, t.ID, t.Listen = "first", "h1", []string{"topic"} }),
			task("ok", func(t *plan.Task) { t.Name, t.ID = "second", "h2" }),
			task("ok", func(t *plan.Task) { t.Name, t.ID = "third", "h3" }),
		}
		_ = New(b.opts).Run(t.Context(), planOf(p)) // the lines tell
		assert.Equal(t, tt.want, b.record.lines, name)
	}
}

func TestSerialAndLimitsOfFailure(t *testing.T) {
	t.Parallel()
	percent := 50.0
	for name, tt := range map[string]struct {
		change func(*plan.Play)
		first  *plan.Task
		want   map[string]event.Counts
	}{
		"a batch of which nobody is left ends the run": {func(p *plan.Play) { p.Serial = []plan.Batch{{Count: 1}} }, task("fail"),
			map[string]event.Counts{"a": {Failed: 1}}},
		"any_errors_fatal": {func(*plan.Play) {}, task("fail", when("is_a"), func(t *plan.Task) { t.Keywords.AnyErrorsFatal = node(true) }),
			map[string]event.Counts{"a": {Failed: 1}, "b": {Skipped: 1}, "c": {Skipped: 1}}},
		"max_fail_percentage not exceeded": {func(p *plan.Play) { p.MaxFailPercentage = &percent }, task("fail", when("is_a")),
			map[string]event.Counts{"a": {Failed: 1}, "b": {Skipped: 1, OK: 1}, "c": {Skipped: 1, OK: 1}}},
		"max_fail_percentage exceeded": {func(p *plan.Play) { p.MaxFailPercentage = &percent }, task("fail", when("not is_c")),
			map[string]event.Counts{"a": {Failed: 1}, "b": {Failed: 1}, "c": {Skipped: 1}}},
	} {
		b := newBench(t)
		hosts := hostsNamed("a", "b", "c")
		for _, h := range hosts {
			h.Vars = h.Vars.With(vars.Layer{Level: vars.HostVars, Values: map[string]any{"is_a": h.Name == "a", "is_c": h.Name == "c"}})
		}
		p := playOf("linear", hosts, tt.first, task("ok"))
		tt.change(p)
		require.Error(t, New(b.opts).Run(t.Context(), planOf(p)), name)
		assert.Equal(t, tt.want, b.record.counts, name)
		assert.Equal(t, strings.HasPrefix(name, "max_fail_percentage not"), !slices.Contains(b.record.lines, "NO MORE HOSTS"), name)
	}
}

func TestRunOnceAndFacts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := playOf("linear", hostsNamed("a", "b"),
		task("fact who", func(t *plan.Task) { t.Keywords.RunOnce, t.Register = node(true), "r" }),
		task("ok", when("who", "r")),
	)
	require.NoError(t, New(b.opts).Run(t.Context(), planOf(p)))
	total := 0
	for _, c := range b.record.counts {
		total += c.OK
	}
	assert.Equal(t, 3, total, "once, and then on both with what it learned")
}

// TestOrder: with one fork hosts begin in the order of the batch, and what runs
// once runs on the first of them, however many forks there are.
func TestOrder(t *testing.T) {
	t.Parallel()
	names := []string{"e", "d", "c", "b", "a"}
	for range 20 {
		b := newBench(t)
		b.opts.Forks = 1
		require.NoError(t, New(b.opts).Run(t.Context(), planOf(playOf("linear", hostsNamed(names...), task("ok"), task("change")))))
		assert.Equal(t, []string{
			"TASK ok", "ok e", "ok d", "ok c", "ok b", "ok a",
			"TASK change", "changed e", "changed d", "changed c", "changed b", "changed a",
		}, b.record.lines)

		b = newBench(t)
		once := task("fact who", func(t *plan.Task) { t.Keywords.RunOnce = node(true) })
		require.NoError(t, New(b.opts).Run(t.Context(), planOf(playOf("linear", hostsNamed(names...), once))))
		assert.Equal(t, []string{"TASK fact who", "ok e"}, b.record.lines)
	}
}

// TestRunOnceThatTheFirstHostDoesNot: run_once may have another value on each
// host; nobody waits for one that does not run.
func TestRunOnceThatTheFirstHostDoesNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	once := task("ok", func(t *plan.Task) { t.Keywords.RunOnce = node("{{ is_b }}") })
	hosts := hostsNamed("a", "b", "c")
	for _, h := range hosts {
		h.Vars = h.Vars.With(vars.Layer{Level: vars.InventoryHost, Values: map[string]any{"is_b": h.Name != "a"}})
	}
	require.NoError(t, New(b.opts).Run(t.Context(), planOf(playOf("linear", hosts, once))))
	assert.Len(t, b.record.lines, 3, "a for itself, one of the others for both")
}

func TestForksBoundHostsAtWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.opts.Forks = 2
		wait := task("wait", func(t *plan.Task) { t.Keywords.Timeout, t.Keywords.IgnoreErrors = node(int64(10)), node(true) })
		began := time.Now()
		require.NoError(t, New(b.opts).Run(t.Context(), planOf(playOf("free", hostsNamed("a", "b", "c", "d", "e"), wait))))
		assert.Equal(t, 30*time.Second, time.Since(began), "five hosts, two at a time")
	})
}

func TestBatches(t *testing.T) {
	t.Parallel()
	hosts := make([]*host, 10)
	sizes := func(serial ...plan.Batch) (out []int) {
		for _, b := range batches(hosts, serial) {
			out = append(out, len(b))
		}
		return out
	}
	assert.Equal(t, []int{10}, sizes())
	assert.Equal(t, []int{1, 3, 3, 3}, sizes(plan.Batch{Count: 1}, plan.Batch{Count: 3}))
	assert.Equal(t, []int{3, 3, 3, 1}, sizes(plan.Batch{Percent: 30}))
	assert.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, sizes(plan.Batch{Percent: 1}))
}
