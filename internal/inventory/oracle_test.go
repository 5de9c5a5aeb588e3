package inventory_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/inventory"
)

// oracle is a process of Ansible that answers questions.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// question is an inventory and patterns; answer is what is made of them.
type question struct {
	Sources  []string `json:"sources"`
	Patterns []string `json:"patterns"`
}

type answer struct {
	List   map[string]any      `json:"list"`
	Export map[string]any      `json:"export"`
	Hosts  map[string]selected `json:"hosts"`
	Error  string              `json:"error"`
}

// selected is names of hosts, or a text that begins with "error".
type selected []string

// UnmarshalJSON implements json.Unmarshaler.
func (s *selected) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		*s = selected{"error"}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(s))
}

// startOracle starts Ansible. Without it the test is skipped, unless
// REQUIRE_ANSIBLE is set.
func startOracle(t *testing.T) *oracle {
	t.Helper()
	const python = "/usr/bin/python3" // the system's, which Debian's Ansible is for
	if err := exec.CommandContext(t.Context(), python, "-c", "import ansible").Run(); err != nil {
		if os.Getenv("REQUIRE_ANSIBLE") != "" {
			require.NoError(t, err, "ansible-core is needed")
		}
		t.Skip("there is no Ansible on this machine")
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/oracle.py")
	home := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(home, "ansible.cfg"), nil, 0o600))
	cmd.Env = append(os.Environ(), "ANSIBLE_CONFIG="+filepath.Join(home, "ansible.cfg"), "HOME="+home)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Logf("the oracle: %v\n%s", err, stderr.String())
		}
	})
	return &oracle{in, bufio.NewReader(out)}
}

func (o *oracle) ask(t *testing.T, q question) answer {
	t.Helper()
	require.NoError(t, json.NewEncoder(o.in).Encode(q))
	line, err := o.out.ReadBytes('\n')
	require.NoError(t, err)
	var a answer
	require.NoError(t, json.Unmarshal(line, &a), "%s", line)
	return a
}

// ours answers a question as the runner does.
func ours(t *testing.T, q question) answer {
	t.Helper()
	inv, err := inventory.Load(t.Context(), q.Sources, inventory.Options{})
	if err != nil {
		return answer{Error: err.Error()}
	}
	a := answer{Hosts: map[string]selected{}}
	for to, list := range map[*map[string]any]map[string]any{&a.List: inv.List(), &a.Export: inv.Export()} {
		data, err := json.Marshal(list)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, to))
	}
	for _, p := range q.Patterns {
		found, err := inv.Select(p)
		names := selected{}
		for _, h := range found {
			names = append(names, h.Name)
		}
		if err != nil {
			names = selected{"error"}
		}
		a.Hosts[p] = names
	}
	return a
}

// compare returns how many answers were compared.
func compare(t *testing.T, o *oracle, q question, text string) int {
	t.Helper()
	theirs, mine := o.ask(t, q), ours(t, q)
	if theirs.Error != "" || mine.Error != "" {
		require.Equal(t, theirs.Error != "", mine.Error != "", "%s\nAnsible: %s\nrunner: %s", text, theirs.Error, mine.Error)
		return 1
	}
	require.Equal(t, theirs.List, mine.List, text)
	require.Equal(t, theirs.Export, mine.Export, text)
	inOrder := ordered(mine.List)
	for _, p := range q.Patterns {
		switch {
		case inOrder:
			require.Equal(t, theirs.Hosts[p], mine.Hosts[p], "%q of\n%s", p, text)
		case !strings.Contains(p, "["): // a subscript counts in that order
			require.ElementsMatch(t, theirs.Hosts[p], mine.Hosts[p], "%q of\n%s", p, text)
		}
	}
	return 2 + len(q.Patterns)
}

// ordered tells whether Ansible takes the hosts of these groups in an order of
// its own: if two children of a group have children, it depends on the hash of
// their names.
func ordered(list map[string]any) bool {
	children := func(name any) []any {
		body, _ := list[fmt.Sprint(name)].(map[string]any)
		names, _ := body["children"].([]any)
		return names
	}
	for name := range list {
		for level := children(name); len(level) > 0; {
			var next []any
			parents := 0
			for _, g := range level {
				if c := children(g); len(c) > 0 {
					parents++
					next = append(next, c...)
				}
			}
			if parents > 1 {
				return false
			}
			level = next
		}
	}
	return true
}

// TestAsAnsible compares hand-written inventories, testdata/oracle/*.txtar:
// each has the files of an inventory and a file "patterns". Its sources are
// the files that stand in no folder, and the folder "inv".
func TestAsAnsible(t *testing.T) {
	t.Parallel()
	o := startOracle(t)
	paths, err := filepath.Glob("testdata/oracle/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		require.NoError(t, err)
		root := t.TempDir()
		q := question{}
		for _, f := range a.Files {
			if f.Name == "patterns" {
				q.Patterns = strings.Split(strings.TrimSuffix(string(f.Data), "\n"), "\n")
				continue
			}
			if dir, _, in := strings.Cut(f.Name, "/"); !in || dir == "inv" && len(q.Sources) == 0 {
				q.Sources = append(q.Sources, filepath.Join(root, strings.TrimSuffix(f.Name, strings.TrimPrefix(f.Name, dir))))
			}
			require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(f.Name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, f.Name), f.Data, 0o600))
		}
		t.Run(filepath.Base(path), func(t *testing.T) { compare(t, o, q, path) })
	}
}

// TestAsAnsibleRandom compares random inventories and patterns. A failure
// prints the inventory; SEED runs one again.
func TestAsAnsibleRandom(t *testing.T) {
	t.Parallel()
	o := startOracle(t)
	first, count := uint64(1), 420
	if seed := os.Getenv("SEED"); seed != "" {
		n, err := strconv.ParseUint(seed, 10, 64)
		require.NoError(t, err)
		first, count = n, 1
	}
	compared := 0
	dir := t.TempDir()
	for seed := first; seed < first+uint64(count); seed++ {
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		path, text := filepath.Join(dir, fmt.Sprint(seed)+".ini"), g.ini()
		if g.r.IntN(2) == 0 {
			path, text = filepath.Join(dir, fmt.Sprint(seed)+".yml"), g.yaml()
		}
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		q := question{Sources: []string{path}}
		for range 6 {
			q.Patterns = append(q.Patterns, g.pattern())
		}
		compared += compare(t, o, q, fmt.Sprintf("SEED=%d\n%s", seed, text))
	}
	assert.GreaterOrEqual(t, compared, count)
	t.Logf("%d answers are the same", compared)
}

// generator makes inventories and patterns of few names, so that they meet.
type generator struct{ r *rand.Rand }

func (g generator) one(list ...string) string { return list[g.r.IntN(len(list))] }

func (g generator) group() string { return g.one("web", "db", "eu", "us", "prod") }

func (g generator) host() string {
	return g.one("a", "b.example.org", "web1", "db-2", "c", "10.0.0.1", "n[1:3]", "z[01:03].x", "l[a:c]", "s[0:6:3]", "m[1:2][1:2]", "a:2222", "c:22")
}

func (g generator) value() string {
	return g.one("1", "1.5", "true", "True", "None", "text", "'quoted'", `"two words"`, "[1,2]", "{'k':1}", "0644", "yes", "-3", "''", "1_000", "0x1f", "a=b", "'[1,2]'", "(1,2)", "1e3")
}

func (g generator) name() string { return g.one("x", "y", "ansible_user", "z_1") }

func (g generator) ini() string {
	var b strings.Builder
	for range g.r.IntN(3) {
		fmt.Fprintln(&b, g.host())
	}
	var groups []string
	for range 1 + g.r.IntN(4) {
		name := g.group()
		groups = append(groups, name)
		fmt.Fprintf(&b, "[%s]%s\n", name, g.one("", " ", " # note"))
		for range g.r.IntN(4) {
			fmt.Fprint(&b, g.host())
			for range g.r.IntN(3) {
				fmt.Fprintf(&b, " %s=%s", g.name(), g.value())
			}
			fmt.Fprintln(&b, g.one("", "", " # note"))
		}
	}
	for range g.r.IntN(3) {
		fmt.Fprintf(&b, "[%s:vars]\n", g.one(groups...))
		for range g.r.IntN(3) {
			fmt.Fprintf(&b, "%s%s%s%s\n", g.name(), g.one("=", " = "), g.value(), g.one("", " # kept"))
		}
		if g.r.IntN(4) == 0 {
			fmt.Fprintf(&b, "ansible_group_priority=%d\n", g.r.IntN(20))
		}
	}
	if g.r.IntN(2) == 0 {
		fmt.Fprintf(&b, "; note\n[top:children]\n%s\n%s\n", g.one(groups...), g.one(groups...))
	}
	return b.String()
}

func (g generator) yaml() string {
	var b strings.Builder
	b.WriteString("---\n")
	seen := map[string]bool{}
	for _, name := range []string{"all", g.group(), g.group()} {
		if !seen[name] {
			seen[name] = true
			fmt.Fprintf(&b, "%s:\n", name)
			g.body(&b, "  ", 2)
		}
	}
	return b.String()
}

func (g generator) body(b *strings.Builder, in string, depth int) {
	if g.r.IntN(4) > 0 {
		fmt.Fprintf(b, "%shosts:\n", in)
		seen := map[string]bool{}
		for range 1 + g.r.IntN(3) {
			h := g.host()
			if seen[h] {
				continue
			}
			seen[h] = true
			if g.r.IntN(2) == 0 {
				fmt.Fprintf(b, "%s  %s:\n", in, h)
				continue
			}
			fmt.Fprintf(b, "%s  %s: {x: %s}\n", in, h, g.one("1", "true", "yes", "text", "[1, 2]", "null", "1.5", "'0644'", "0644", "{k: v}", "2020-01-01", "1e3", "~"))
		}
	}
	if g.r.IntN(2) == 0 {
		fmt.Fprintf(b, "%svars: {%s: %s, ansible_group_priority: %d}\n", in, g.name(), g.one("1", "no", "on", "text", "[a, b]"), g.r.IntN(9))
	}
	if depth > 0 && g.r.IntN(2) == 0 {
		fmt.Fprintf(b, "%schildren:\n", in)
		name := g.group() + "_" + fmt.Sprint(depth)
		fmt.Fprintf(b, "%s  %s:\n", in, name)
		g.body(b, in+"    ", depth-1)
	}
}

func (g generator) pattern() string {
	one := func() string {
		p := g.one("all", "*", "web", "db", "eu", "top", "web2", "a", "n*", "*.x", "~n[12]", "~^z", "web[0]", "web[-1]", "all[1:]", "all[0:1]",
			"all[2:3]", "[ab]*", "n?", "nowhere", "ungrouped", "*.example.org", "10.0.0.1", "z01.x", "localhost", "~(db|eu)", "all[9]")
		return g.one("", "", "", "&", "!") + p
	}
	parts := []string{one()}
	for range g.r.IntN(3) {
		parts = append(parts, one())
	}
	return strings.Join(parts, g.one(":", ","))
}
