package tasks

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
)

type sub struct {
	Name string `arg:"name,required"`
	On   bool   `arg:"on" default:"true"`
}

type kind struct {
	Text   string         `arg:"text" default:"dflt" choices:"dflt,other,True,7,1.5"`
	Path   string         `arg:"path,required" alias:"dest,name" doc:"where"`
	Yes    bool           `arg:"yes"`
	Count  int            `arg:"count"`
	Big    int64          `arg:"big"`
	Ratio  float64        `arg:"ratio"`
	Size   Size           `arg:"size" default:"4KiB"`
	Wait   time.Duration  `arg:"wait"`
	Mode   Mode           `arg:"mode"`
	Words  []string       `arg:"words"`
	List   []any          `arg:"list"`
	Map    map[string]any `arg:"map"`
	Any    any            `arg:"any"`
	Expr   Expr           `arg:"expr"`
	Exprs  []Expr         `arg:"exprs"`
	Sub    sub            `arg:"sub"`
	Subs   []sub          `arg:"subs"`
	Secret string         `arg:"secret" secret:"true"`
	Lonely string         `arg:"lonely,required" use:"alone"`
	Piped  string         `arg:"piped" use:"pipe"`
	work   int            // no parameter
}

func (k *kind) Run(context.Context, Host) (Result, error) { return Result{}, nil }

func (k *kind) Validate() error {
	if k.Path == "bad" {
		return errors.New("path cannot be bad")
	}
	return nil
}

var spec = Spec{Name: "kind", New: func() Task { return &kind{} }}

// upper expands: a text that starts with {{ becomes its value.
type upper map[string]any

func (u upper) Expand(n *strictyaml.Node) (any, error) {
	if v, ok := u[n.Text]; ok && n.Kind == strictyaml.String {
		if err, bad := v.(error); bad {
			return nil, err
		}
		return v, nil
	}
	return n.Native(nil)
}

func (u upper) Eval(expr string) (any, error) { return "value of " + expr, nil }

func parse(t *testing.T, text string) (*strictyaml.Node, diag.Pos) {
	t.Helper()
	n, err := strictyaml.ParseOne("p.yml", []byte(text))
	require.NoError(t, err)
	return n, diag.Pos{File: "p.yml", Line: 1, Col: 1}
}

func decode(t *testing.T, s Spec, text string, u upper) (*kind, error) {
	t.Helper()
	n, at := parse(t, text)
	task, err := s.Decode(n, at, u)
	if err != nil {
		return nil, err
	}
	return task.(*kind), nil
}

func TestDecode(t *testing.T) {
	t.Parallel()
	k, err := decode(t, spec, `
text: other
dest: /a
yes: "on"
count: "3"
big: 4000000000
ratio: 0.5
size: 1 MB
wait: 90
mode: "0640"
words: a, b,,c
list: one
map: {a: [1]}
any: [x]
expr: a.b > 1
exprs: [x, y is defined]
sub: {name: s, on: false}
subs: [{name: one}, {name: two, on: no}]
secret: hush
lonely: l
`, nil)
	require.NoError(t, err)
	assert.Equal(t, "other", k.Text)
	assert.Equal(t, "/a", k.Path)
	assert.Equal(t, []any{true, 3, int64(4e9), 0.5, Size(1e6), 90 * time.Second, Mode("0640")}, []any{k.Yes, k.Count, k.Big, k.Ratio, k.Size, k.Wait, k.Mode})
	assert.Equal(t, []string{"a", "b", "c"}, k.Words)
	assert.Equal(t, []any{"one"}, k.List)
	assert.Equal(t, map[string]any{"a": []any{int64(1)}}, k.Map)
	assert.Equal(t, []any{"x"}, k.Any)
	v, err := k.Expr.Value()
	require.NoError(t, err)
	assert.Equal(t, "value of a.b > 1", v)
	assert.Equal(t, "y is defined", k.Exprs[1].Text)
	assert.Equal(t, sub{Name: "s"}, k.Sub)
	assert.Equal(t, []sub{{"one", true}, {"two", false}}, k.Subs)
}

func TestDecodeConverts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"true": "True", "7": "7", "1.5": "1.5"} {
		k, err := decode(t, spec, "{path: /a, lonely: l, text: "+text+"}", nil)
		require.NoError(t, err)
		assert.Equal(t, want, k.Text)
	}
	for text, want := range map[string]Mode{"0644": "0644", "0o17": "0o17", `"755"`: "755", "420": "0644"} {
		k, err := decode(t, spec, "{path: /a, lonely: l, mode: "+text+"}", nil)
		require.NoError(t, err, text)
		assert.Equal(t, want, k.Mode, text)
	}
}

func TestDecodeExpands(t *testing.T) {
	t.Parallel()
	u := upper{"{{ n }}": int64(9), "{{ omit }}": vars.Omit{}, "{{ none }}": nil, "{{ gone }}": errors.New("'gone' is undefined")}
	k, err := decode(t, spec, `{path: "{{ n }}", count: "{{ n }}", text: "{{ omit }}", size: "{{ none }}", lonely: l}`, u)
	require.NoError(t, err)
	assert.Equal(t, "9", k.Path)
	assert.Equal(t, 9, k.Count)
	assert.Equal(t, "dflt", k.Text, "omitted: the default")
	assert.EqualValues(t, 4096, k.Size, "null: the default")

	_, err = decode(t, spec, `{path: "{{ omit }}", lonely: l}`, u)
	require.EqualError(t, err, `p.yml:1:1: kind needs "path" (where)`)
	_, err = decode(t, spec, `{path: "{{ gone }}", lonely: l}`, u)
	require.EqualError(t, err, `p.yml:1:8: 'gone' is undefined`)
	_, err = decode(t, spec, `{path: bad, lonely: l}`, u)
	require.EqualError(t, err, `p.yml:1:1: path cannot be bad`)
}

// What can be known before the variables are is found by Check, all at once.
func TestCheck(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{path: /a, lonely: l}`:                           "",
		`{path: "{{ x }}", lonely: l, count: "{{ n }}"}`:  "",
		`{path: /a, lonely: l, words: [a, "{{ b }}"]}`:    "",
		`{path: /a, lonely: l, map: {a: "{{ b }}"}}`:      "",
		`{path: bad, lonely: l}`:                          "", // only Decode validates
		`{}`:                                              "p.yml:1:1: kind needs \"path\" (where)\np.yml:1:1: kind needs \"lonely\"",
		`[a]`:                                             "p.yml:1:1: kind must be a mapping, this is a list",
		`{pth: /a, lonely: l, path: b}`:                   `p.yml:1:2: kind has no key "pth" (did you mean "path"?)`,
		`{path: /a, lonely: l, count: many}`:              `p.yml:1:30: "count": must be an integer, this is "many"`,
		`{path: /a, lonely: l, count: 1.5}`:               `p.yml:1:30: "count": must be an integer, this is a number`,
		`{path: /a, lonely: l, yes: perhaps}`:             `p.yml:1:28: "yes": must be true or false, this is "perhaps"`,
		`{path: /a, lonely: l, yes: [a]}`:                 `p.yml:1:28: "yes": must be true or false, this is a list`,
		`{path: /a, lonely: l, ratio: x}`:                 `p.yml:1:30: "ratio": must be a number, this is a string`,
		`{path: /a, lonely: l, size: big}`:                `p.yml:1:29: "size": "big" is not a size such as 4KiB or 10M`,
		`{path: /a, lonely: l, wait: soon}`:               `p.yml:1:29: "wait": "soon" is not a duration such as 30s or 1m30s`,
		`{path: /a, lonely: l, mode: 644}`:                `p.yml:1:29: "mode": mode 644 is a decimal number; write "0644"`,
		`{path: /a, lonely: l, mode: true}`:               `p.yml:1:29: "mode": must be a mode such as "0640", this is a boolean`,
		`{path: /a, lonely: l, text: othr}`:               `p.yml:1:29: "text" cannot be "othr" (did you mean "other"?)`,
		`{path: /a, lonely: l, text: xyzzy}`:              `p.yml:1:29: "text" cannot be "xyzzy" (one of: dflt, other, True, 7, 1.5)`,
		`{path: [a], lonely: l}`:                          `p.yml:1:8: "path": must be a string, this is a list`,
		`{path: /a, lonely: l, map: 1}`:                   `p.yml:1:28: "map": must be a mapping, this is a number`,
		`{path: /a, lonely: l, words: [[a]]}`:             `p.yml:1:30: "words": item 1 must be a string, this is a list`,
		`{path: /a, lonely: l, expr: {a: b}}`:             `p.yml:1:29: "expr" must be an expression, this is a mapping`,
		`{path: /a, lonely: l, expr: [a, b]}`:             `p.yml:1:29: "expr" must be one expression`,
		`{path: /a, lonely: l, sub: {on: true}}`:          `p.yml:1:28: sub needs "name"`,
		`{path: /a, lonely: l, subs: [{name: a, of: b}]}`: `p.yml:1:40: subs has no key "of" (did you mean "on"?)`,
		`{path: /a, lonely: l, piped: x}`:                 `has no key "piped"`,
	} {
		n, at := parse(t, text)
		err := spec.Check(n, at)
		if want == "" {
			assert.NoError(t, err, text)
		} else if assert.Error(t, err, text) {
			assert.Contains(t, err.Error(), want, text)
		}
	}
	assert.Error(t, spec.Check(nil, diag.Pos{}), "no arguments at all")
}

func TestInPipe(t *testing.T) {
	t.Parallel()
	n, at := parse(t, `{path: /a, piped: x}`)
	require.NoError(t, spec.InPipe().Check(n, at))
	k, err := decode(t, spec.InPipe(), `{path: /a, piped: x}`, nil)
	require.NoError(t, err)
	assert.Equal(t, "x", k.Piped)
	_, err = decode(t, spec.InPipe(), `{path: /a, lonely: x}`, nil)
	require.ErrorContains(t, err, `kind has no key "lonely"`)
}

type open struct {
	Known string         `arg:"known"`
	Rest  map[string]any `arg:",rest"`
}

func (*open) Run(context.Context, Host) (Result, error) { return Result{}, nil }

func TestRest(t *testing.T) {
	t.Parallel()
	s := Spec{Name: "open", AnyArgs: true, New: func() Task { return &open{} }}
	n, at := parse(t, `{known: k, a: 1, b: "{{ omit }}", c: "{{ gone }}"}`)
	require.NoError(t, s.Check(n, at))
	_, err := s.Decode(n, at, upper{"{{ omit }}": vars.Omit{}, "{{ gone }}": errors.New("undefined")})
	require.EqualError(t, err, "p.yml:1:38: undefined")
	task, err := s.Decode(n, at, upper{"{{ omit }}": vars.Omit{}, "{{ gone }}": true})
	require.NoError(t, err)
	assert.Equal(t, &open{Known: "k", Rest: map[string]any{"a": int64(1), "c": true}}, task)
	assert.Len(t, s.Params(), 1)
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	b := Spec{Name: "b", Aliases: []string{"bee"}, New: spec.New}
	r := NewRegistry(spec, b)
	got, ok := r.Lookup("bee")
	assert.True(t, ok)
	assert.Equal(t, "b", got.Name)
	_, ok = r.Lookup("c")
	assert.False(t, ok)
	assert.Equal(t, "kind", r.Suggest("knd"))
	assert.Equal(t, []string{"b", "kind"}, []string{r.All()[0].Name, r.All()[1].Name})

	assert.PanicsWithValue(t, `task kind "bee" is declared twice`, func() { NewRegistry(b, Spec{Name: "bee", New: spec.New}) })
	assert.PanicsWithValue(t, `task kind "x": New must return a pointer to a struct`, func() { NewRegistry(Spec{Name: "x", New: func() Task { return byValue{} }}) })
	assert.Panics(t, func() { NewRegistry(Spec{Name: "x", New: func() Task { return &unsupported{} }}) })
}

type byValue struct{}

func (byValue) Run(context.Context, Host) (Result, error) { return Result{}, nil }

type unsupported struct {
	C chan int `arg:"c"`
}

func (*unsupported) Run(context.Context, Host) (Result, error) { return Result{}, nil }

func TestParamsTellTheirTypes(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, p := range spec.Params() {
		got[p.Name] = p.Type
	}
	assert.Equal(t, map[string]string{
		"text": "string", "path": "string", "yes": "boolean", "count": "integer", "big": "integer", "ratio": "number", "size": "size",
		"wait": "duration", "mode": "mode", "words": "list of strings", "list": "list", "map": "mapping", "any": "any",
		"expr": "expression", "exprs": "list of expressions", "sub": "mapping", "subs": "list of mappings", "secret": "string", "lonely": "string",
	}, got)
	assert.Zero(t, kind{}.work)
}
