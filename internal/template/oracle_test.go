package template

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oracleVars are the variables of every template that is compared.
const oracleVars = `{
	"n": 6, "s": "text", "l": [1, 2, 3], "none_v": null, "yes": true,
	"d": {"k": "v", "nested": {"list": ["a", "b"], "n": 1}},
	"people": [{"name": "ann", "age": 41, "nick": "a"}, {"name": "bob", "age": 30}, {"name": "cid", "age": 25}],
	"r": {"rc": 0, "changed": true, "failed": false, "stdout": "a\nb", "stdout_lines": ["a", "b"]},
	"nested_template": "<{{ s }}>", "list_of_templates": ["{{ n }}", "{{ s }}x"], "deep": {"x": "{{ d.nested }}", "y": 1}
}`

// onPurpose are templates that we take otherwise than Ansible does;
// docs/templates.md says why.
var onPurpose = map[string]string{
	`{{ "foobar" | regex_replace("^f(.*)r$", "\\1") }}`:       escapes,
	`{{ "foobar" | regex_replace("(?P<x>oo)", "<\\g<x>>") }}`: escapes,
	`{{ "foobar" | regex_search("f(o+)(b)", "\\1", "\\2") }}`: escapes,
	`{{ "a\nb" | indent }}`:                                   escapes,
	`{{ "a\nb" | indent(2, true) }}`:                          escapes,
	`{{ "a\n\nb" | indent(2) }}`:                              escapes,
	`{{ "a\nb" | comment }}`:                                  escapes,
	`{{ "a\tb\\n\"q\"" }}`:                                    escapes,
	`{{ 'a\'b' }}`:                                            escapes,
	`{{ {"b": 1, "a": "ä"} | to_json }}`:                      "mappings have the order of their keys",
	`{{ "aaa" | regex_replace("a", "b", count=2) }}`:          "Ansible 2.14 does not know count",
	`{{ "{{" }} {{ '}}' }}`:                                   "Ansible takes the text for another template",
	`{{ 1e300 * 1e300 }}`:                                     "JSON has no infinity",
	`{{ 10 ** 20 }}`:                                          "integers have 64 bits",
}

const escapes = "escapes in a text of a template mean what they mean in Jinja; in playbooks Ansible takes them as they are written"

type oracleAnswer struct {
	Value any    `json:"value"`
	Plain any    `json:"plain"`
	Error string `json:"error"`
}

// oracle asks Ansible for each template. Without it the test is skipped,
// unless REQUIRE_ANSIBLE is set.
func oracle(t *testing.T, vars map[string]any, texts []string) []oracleAnswer {
	t.Helper()
	const python = "/usr/bin/python3" // the system's, which Debian's Ansible is for
	if err := exec.CommandContext(t.Context(), python, "-c", "import ansible").Run(); err != nil {
		if os.Getenv("REQUIRE_ANSIBLE") != "" {
			require.NoError(t, err, "ansible-core is needed")
		}
		t.Skip("there is no Ansible on this machine")
	}
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "ansible.cfg"), nil, 0o600))
	var in, stderr strings.Builder
	for _, text := range texts {
		q, err := json.Marshal(map[string]any{"text": text, "vars": vars})
		require.NoError(t, err)
		fmt.Fprintf(&in, "%s\n", q)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/oracle.py")
	cmd.Env = append(os.Environ(), "ANSIBLE_CONFIG="+filepath.Join(home, "ansible.cfg"), "HOME="+home)
	cmd.Stdin, cmd.Stderr = strings.NewReader(in.String()), &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var answers []oracleAnswer
	for line := range strings.Lines(string(out)) {
		var a oracleAnswer
		require.NoError(t, json.Unmarshal([]byte(line), &a), line)
		answers = append(answers, a)
	}
	require.Len(t, answers, len(texts))
	return answers
}

// mine is what the engine makes of a template, as JSON would carry it.
func mine(t *testing.T, vars map[string]any, text string) oracleAnswer {
	t.Helper()
	v, err := New(Options{}).Expand(t.Context(), text, expanded(vars))
	if err != nil {
		return oracleAnswer{Error: err.Error()}
	}
	data, err := json.Marshal(v)
	if err != nil {
		return oracleAnswer{Error: err.Error()}
	}
	var a oracleAnswer
	require.NoError(t, json.Unmarshal(data, &a.Value))
	return a
}

// expanded is a scope of values that may be templates.
type expanded map[string]any

func (v expanded) Lookup(name string) (value any, literal, ok bool) {
	value, ok = v[name]
	return value, false, ok
}

func (v expanded) Names() []string { return values(v).Names() }

// native turns numbers that JSON has made floats into integers again.
func native(v any) any {
	switch v := v.(type) {
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	case []any:
		for i := range v {
			v[i] = native(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = native(v[k])
		}
	}
	return v
}

// compareAll compares every template and returns how many were the same.
func compareAll(t *testing.T, texts []string) int {
	t.Helper()
	var vars map[string]any
	require.NoError(t, json.Unmarshal([]byte(oracleVars), &vars))
	theirs := oracle(t, vars, texts)
	ours := native(vars).(map[string]any)
	same, stricter := 0, 0
	for i, text := range texts {
		got := mine(t, ours, text)
		_, differs := onPurpose[text]
		if theirs[i].Error == "" && strings.Contains(got.Error, "undefined") {
			stricter++ // what is not defined stays an error, whatever is asked of it
			continue
		}
		equal := (theirs[i].Error != "") == (got.Error != "") && assert.ObjectsAreEqual(theirs[i].Value, got.Value)
		if text, ok := got.Value.(string); ok && !equal {
			// Native types are ours, but a text stays one: "1" is no number.
			// So it is since Ansible 2.19.
			equal = theirs[i].Plain == text
		}
		if differs {
			assert.False(t, equal, "%s is the same now; take it off the list", text)
			continue
		}
		if assert.True(t, equal, "%s\n  Ansible: %v %s\n  runner:  %v %s", text, show(theirs[i].Value), theirs[i].Error, show(got.Value), got.Error) {
			same++
		}
	}
	assert.Less(t, stricter, len(texts)/20, "the strict are few")
	return same
}

func show(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// TestAsAnsible compares testdata/oracle.txt, a template a line.
func TestAsAnsible(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/oracle.txt")
	require.NoError(t, err)
	defer f.Close()
	var texts []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() != "" && !strings.HasPrefix(s.Text(), "# ") {
			texts = append(texts, s.Text())
		}
	}
	require.Greater(t, len(texts), 250)
	t.Logf("%d templates are the same", compareAll(t, texts))
}

// TestAsAnsibleRandom compares random expressions.
func TestAsAnsibleRandom(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	var expr func(depth int) string
	expr = func(depth int) string {
		if depth == 0 {
			return one("n", "s", "l", "d.k", "d.nested.list", "1", "2.5", "'a b'", "[3, 1, 2]", "none", "true", "''", "[]", "nope", "d", "l[0]", "-1", "'7'")
		}
		switch r.IntN(5) {
		case 0:
			return "(" + expr(depth-1) + " " + one("+", "-", "*", "~", "==", "!=", "<", "and", "or", "in") + " " + expr(depth-1) + ")"
		case 1:
			return "(" + expr(depth-1) + " is " + one("", "not ") + one("defined", "none", "number", "string", "mapping", "sequence", "iterable", "integer", "boolean", "truthy") + ")"
		case 2:
			return "(" + expr(depth-1) + " if " + expr(depth-1) + " else " + expr(depth-1) + ")"
		}
		return "(" + expr(depth-1) + " | " + one("length", "string", "int", "default('x')", "default('x', true)", "first", "last", "join('-')", "upper", "list", "unique", "bool",
			"to_json", "float", "sort", "reverse | list", "ternary(1, 2)", "min", "sum", "trim", "b64encode", "quote", "hash('md5')", "string | length") + ")"
	}
	var texts []string
	for range 1500 {
		text := "{{ " + expr(1+r.IntN(3)) + " }}"
		if r.IntN(4) == 0 {
			text += " and text"
		}
		texts = append(texts, text)
	}
	t.Logf("%d expressions are the same", compareAll(t, texts))
}
