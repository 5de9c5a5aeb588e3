package template

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/vars"
)

func scope() vars.Stack {
	return vars.Stack{}.With(vars.Layer{Level: vars.Play, Values: map[string]any{
		"name": "tracker", "port": int64(7070), "empty": "", "yes": true, "nothing": nil,
		"list": []any{int64(3), int64(1), int64(2)}, "words": []any{"b", "a"},
		"user":   map[string]any{"name": "ann", "roles": []any{"dev", "ops"}, "items": "shadow"},
		"users":  []any{map[string]any{"name": "ann", "age": int64(30), "on": true}, map[string]any{"name": "bob", "age": int64(20)}},
		"nested": "{{ name }}-{{ port }}", "native": "{{ port }}", "deep": map[string]any{"x": "{{ nested }}!"},
		"circle": "{{ circle2 }}", "circle2": "{{ circle }}", "bad": "{{ missing }}",
		"raw_text": vars.Unsafe("{{ name }}"),
		"result":   map[string]any{"failed": false, "changed": true, "rc": int64(0), "stdout_lines": []any{"x"}},
	}}, vars.Layer{Level: vars.Facts, Literal: true, Values: map[string]any{"from_host": "{{ name }}"}})
}

func engine() *Engine {
	return New(Options{Env: func(n string) string { return map[string]string{"HOME": "/root"}[n] }})
}

// TestExpressions are answers that real Ansible gives, too.
func TestExpressions(t *testing.T) {
	t.Parallel()
	e := engine()
	for expr, want := range map[string]any{
		"1 + 2 * 3": int64(7), "(1 + 2) * 3": int64(9), "7 // 2": int64(3), "-7 // 2": int64(-4), "-7 % 3": int64(2), "7 / 2": 3.5, "2 ** 10": int64(1024),
		"-2 ** 2": int64(4), "1.5 + 1": 2.5, "'a' ~ 1 ~ none": "a1None", "'ab' * 2": "abab", "[1] + [2]": []any{int64(1), int64(2)},
		"1 < 2 < 3": true, "1 < 2 > 5": false, "'a' in 'cat'": true, "2 not in list": false, "'name' in user": true, "not yes": false,
		"yes and port": int64(7070), "empty or 'x'": "x", "'a' if yes else 'b'": "a", "port == 7070.0": true, "none is none": true,
		"user.name": "ann", "user['name']": "ann", "user.roles[0]": "dev", "user.roles[-1]": "ops", "list[1:]": []any{int64(1), int64(2)}, "'hello'[::-1]": "olleh",
		"nested": "tracker-7070", "native + 1": int64(7071), "deep.x": "tracker-7070!",
		"missing | default('d')": "d", "missing.a.b | default('d')": "d", "empty | default('d', true)": "d", "user.nope is defined": false, "bad is defined": false,
		"list | sort | join(',')": "1,2,3", "words | map('upper') | list": []any{"B", "A"}, "users | map(attribute='name') | join(' ')": "ann bob",
		"users | selectattr('age', '>', 25) | map(attribute='name') | first": "ann", "users | selectattr('on', 'defined') | list | length": int64(1),
		"users | rejectattr('on') | map(attribute='name') | list": []any{"bob"},
		"'7' | int + 1": int64(8), "'x' | int": int64(0), "'yes' | bool": true, "3.7 | int": int64(3), "'3.5' | float": 3.5, "2.5 | round": 2.0,
		"user | to_json": `{"items": "shadow", "name": "ann", "roles": ["dev", "ops"]}`, "'[1, {\"a\": null}]' | from_json": []any{int64(1), map[string]any{"a": nil}},
		"'a-b' | regex_replace('(\\w)-(\\w)', '\\\\2+\\\\1')": "b+a", "'v1.2' | regex_search('\\d+')": "1", "'/a/b.c' | basename": "b.c", "'/a/b.c' | dirname": "/a",
		"'x y' | quote": "'x y'", "'hi' | b64encode | b64decode": "hi", "{'a': 1} | combine({'b': 2})": map[string]any{"a": int64(1), "b": int64(2)},
		"{'a': 1} | dict2items": []any{map[string]any{"key": "a", "value": int64(1)}}, "yes | ternary('on', 'off')": "on",
		"'1.10' is version('1.9', '>')": true, "result is changed": true, "result is not failed": true, "'abc' is match('b')": false, "'abc' is search('b')": true,
		"5 is odd": true, "6 is divisibleby 3": true, "[1, 2] is subset([1, 2, 3])": true, "port is number and name is string": true,
		"name.upper()": "TRACKER", "'a,b'.split(',')": []any{"a", "b"}, "name.startswith('tr')": true, "user.items() | length": int64(3), "user.get('x', 5)": int64(5),
		"'%s:%05.1f' % ('a', 2)": "a:002.0", "'{} {1}'.format('a', 'b')": "a b", "range(3) | list": []any{int64(0), int64(1), int64(2)},
		"lookup('env', 'HOME')": "/root", "lookup('vars', 'na' ~ 'me')": "tracker", "[1, [2, [3]]] | flatten": []any{int64(1), int64(2), int64(3)},
		"[3, 1] | max": int64(3), "[1, 2] | sum": int64(3), "[1, 1, 2] | unique": []any{int64(1), int64(2)}, "'a' | hash('sha256') | length": int64(64),
		"from_host": "{{ name }}", "raw_text": "{{ name }}", "(1, 2)": []any{int64(1), int64(2)}, "true": true, "'[1, 2]'": []any{int64(1), int64(2)},
	} {
		got, err := e.Eval(t.Context(), expr, scope())
		require.NoError(t, err, expr)
		assert.Equal(t, want, got, expr)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	e := engine()
	for text, want := range map[string]any{
		"plain": "plain", "{{ port }}": int64(7070), "p={{ port }}": "p=7070", "{{ list }}": []any{int64(3), int64(1), int64(2)}, "l={{ list }} {{ yes }} {{ nothing }}": "l=[3, 1, 2] True None",
		"{% for u in users %}{{ loop.index }}{{ u.name }}{% if not loop.last %},{% endif %}{% endfor %}": "1ann,2bob",
		"{% for u in users if u.age > 25 %}{{ u.name }}{% else %}none{% endfor %}":                       "ann",
		"{% set x = 5 %}{{ x }}": "5", "{% raw %}{{ x }}{% endraw %}": "{{ x }}", "a {#- gone -#} b": "ab", "{% if empty %}1{% elif yes %}2{% else %}3{% endif %}x": "2x",
		"{{ '}}' }}": "}}", "{{ {'a': {'b': 1}} }}": map[string]any{"a": map[string]any{"b": int64(1)}}, "[{{ port }}]": []any{int64(7070)},
	} {
		got, err := e.Expand(t.Context(), text, scope())
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	deep, err := e.Expand(t.Context(), map[string]any{"a": []any{"{{ name }}", int64(1)}, "{{ k }}": true}, scope())
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"a": []any{"tracker", int64(1)}, "{{ k }}": true}, deep)
	omit, err := e.Expand(t.Context(), "{{ missing | default(omit) }}", scope().With(vars.Layer{Level: vars.Magic, Literal: true, Values: map[string]any{"omit": vars.Omit{}}}))
	require.NoError(t, err)
	assert.Equal(t, vars.Omit{}, omit)
}

func TestRender(t *testing.T) {
	t.Parallel()
	got, err := engine().Render(t.Context(), "{% for w in words %}\n  - {{ w }}\n{% endfor %}\nend\n", scope(), RenderOptions{})
	require.NoError(t, err)
	assert.Equal(t, "  - b\n  - a\nend\n", got)
	got, err = engine().Render(t.Context(), "a\n  {% if yes %}\nb\n  {% endif %}\n<< name >>\n", scope(), RenderOptions{LstripBlocks: true, VariableStart: "<<", VariableEnd: ">>", Newline: "\r\n"})
	require.NoError(t, err)
	assert.Equal(t, "a\r\nb\r\ntracker\r\n", got)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	e := engine()
	for expr, want := range map[string]string{
		"nam": "'nam' is undefined (did you mean 'name'?)", "user.nmae": "did you mean 'name'?", "bad": "within the variable 'bad': 'missing' is undefined",
		"circle": "lead in a circle", "1 / 0": "division by zero", "1 + 'a'": "'+' has no meaning for int and str", "list[9]": "the list has 3 items",
		"9223372036854775807 + 1": "64 bits", "'a' * 99999999999": "too large", "range(99999999)": "too large", "2 ** 5000": "64 bits",
		"name.nope()": "str has no such method", "name.__class__": "is undefined", "lookup('urll', 'x')": "there is no lookup", "list.append(1)": "cannot change",
		"nope(1)": "there is no function 'nope'", "'x' | from_json": "not JSON", "missing | mandatory": "Mandatory variable 'missing'", "name < 1": "cannot be ordered",
	} {
		_, err := e.Eval(t.Context(), expr, scope())
		require.ErrorContains(t, err, want, expr)
	}
	_, err := e.Eval(t.Context(), "missing", scope())
	u, ok := errors.AsType[*UndefinedError](err)
	require.True(t, ok)
	assert.Equal(t, "missing", u.Name)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Expand(ctx, "{% for a in range(900) %}{% for b in range(900) %}{{ a }}{% endfor %}{% endfor %}", scope())
	require.ErrorIs(t, err, context.Canceled)
	bomb := strings.Repeat("{% for a in range(1000) %}", 5) + "x" + strings.Repeat("{% endfor %}", 5)
	_, err = e.Expand(t.Context(), bomb, scope())
	require.Error(t, err)
}

func TestMistakesHavePlaces(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		line, col int
		msg, hint string
	}{
		"a\n{{ x | defalt }}": {2, 8, "there is no filter 'defalt'", "did you mean 'default'?"},
		"{{ x is defned }}":   {1, 9, "there is no test 'defned'", "did you mean 'defined'?"},
		"{{ x + }}":           {1, 8, "expected a value, this is the end", ""},
		"{{ x":                {1, 1, "'{{' is not closed by '}}'", ""},
		"{% if x %}":          {1, 3, "'endif' is missing", ""},
		"{% endfor %}":        {1, 3, "'endfor' closes nothing", ""},
		"{% include 'x' %}":   {1, 3, "'include' is not supported in templates", "supported: if, for, set, raw"},
		"{{ 'abc }}":          {1, 1, "'{{' is not closed by '}}'", ""},
		"{{ x ? y }}":         {1, 6, "'?' has no meaning in an expression", ""},
		"{{ }}":               {1, 3, "there is no expression", ""},
	} {
		err := Check(text)
		e, ok := errors.AsType[*diag.Error](err)
		require.True(t, ok, "%s: %v", text, err)
		assert.Equal(t, want.msg, e.Msg, text)
		assert.Equal(t, want.hint, e.Hint, text)
		assert.Equal(t, diag.Pos{Line: want.line, Col: want.col}, e.Pos, text)
	}
	require.NoError(t, Check("no template"))
	require.Error(t, CheckExpr("x =="))
}

func TestScopesWithinScopes(t *testing.T) {
	t.Parallel()
	outer := vars.Stack{}.With(vars.Layer{Level: vars.Magic, Values: map[string]any{"hostvars": vars.Stack{vars.Layer{Values: map[string]any{"h": scope()}}}}})
	got, err := engine().Eval(t.Context(), "hostvars['h'].nested ~ hostvars.h.port", outer)
	require.NoError(t, err)
	assert.Equal(t, "tracker-70707070", got)
}

// FuzzExpand: whatever the text, there is a value or an error, within bounds.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"{{ a | join(',') }}", "{% for x in list %}{{ x }}{% endfor %}", "{{ 'a' * 3 }}", "{% raw %}", "{{ list[::-1] }}", "{{ '%d' % 3 }}"} {
		f.Add(s)
	}
	e := engine()
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = e.Expand(t.Context(), text, scope())
		_, _ = e.Eval(t.Context(), text, scope())
		if Check(text) == nil && CheckExpr(text) == nil {
			return
		}
	})
}
