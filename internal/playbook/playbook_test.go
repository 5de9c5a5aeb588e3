package playbook_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/playbook"
)

// kinds are command with free text, copy without, and stages.
type kinds struct{}

func (kinds) Lookup(name string) (playbook.Kind, bool) {
	k, ok := map[string]playbook.Kind{
		"command": {FreeForm: "cmd", Params: []string{"cmd", "argv", "chdir", "creates"}},
		"copy":    {Params: []string{"src", "dest", "mode"}},
		"gzip":    {Params: []string{"level"}},
		"fetch":   {Params: []string{"src", "dest"}},
	}[name]
	return k, ok
}

func (kinds) Suggest(name string) string {
	return diag.Suggest(name, []string{"command", "copy", "gzip", "fetch"})
}

// parse reads a playbook whose imports are the other files: name, text, ….
func parse(t *testing.T, text string, others ...string) *playbook.Playbook {
	t.Helper()
	files := map[string]string{}
	for i := 0; i < len(others); i += 2 {
		files[others[i]] = others[i+1]
	}
	pb, err := playbook.Parse("site.yml", []byte(text), playbook.Options{
		Kinds: kinds{},
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
		Expand: func(text string) (string, error) {
			if strings.Contains(text, "unknown") {
				return "", errors.New("unknown is undefined")
			}
			return strings.NewReplacer("{{ x }}", "more").Replace(text), nil
		},
	})
	require.NoError(t, err)
	return pb
}

func tasks(t *testing.T, pb *playbook.Playbook) []*playbook.Task {
	t.Helper()
	require.Empty(t, pb.Mistakes)
	var out []*playbook.Task
	for _, s := range pb.Plays[0].Tasks {
		out = append(out, s.(*playbook.Task))
	}
	return out
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		`command: ls -l`:                             {"cmd": "ls -l"},
		`command: ls  "a b"  chdir=/x y`:             {"cmd": `ls  "a b"   y`, "chdir": "/x"},
		`command: chdir="/a b" ls`:                   {"cmd": "ls", "chdir": "/a b"},
		`command: chdir={{ a | default('x y') }} ls`: {"cmd": "ls", "chdir": "{{ a | default('x y') }}"},
		`command: env A=1 creates=/x`:                {"cmd": "env A=1", "creates": "/x"},
		`command: dd if=/a of=/b cmd=x`:              {"cmd": "dd if=/a of=/b cmd=x"},
		`command: "echo \"chdir=/x\""`:               {"cmd": `echo "chdir=/x"`},
		`command: {cmd: ls, chdir: /x}`:              {"cmd": "ls", "chdir": "/x"},
		`command:`:                                   {},
		`ansible.builtin.command: ls`:                {"cmd": "ls"},
		`ansible.legacy.copy: src=a dest="b c"`:      {"src": "a", "dest": "b c"},
		`action: copy src=a dest='b c' mode=0644`:    {"src": "a", "dest": "b c", "mode": "0644"},
		`action: { module: copy, src: a }`:           {"src": "a"},
		`local_action: command ls chdir=/x`:          {"cmd": "ls", "chdir": "/x"},
		"copy: src=a\n      args: { dest: b }":       {"src": "a", "dest": "b"},
		"copy:\n      args: { dest: b }":             {"dest": "b"},
		"command: |\n        first line\n        second line\n      args: { chdir: /x }": {"cmd": "first line\nsecond line", "chdir": "/x"},
	} {
		got := map[string]string{}
		task := tasks(t, parse(t, "- hosts: all\n  tasks:\n    - "+text+"\n"))[0]
		if task.Args != nil {
			for _, p := range task.Args.Pairs {
				got[p.Key.Text] = p.Value.Text
			}
		}
		assert.Equal(t, want, got, text)
		if strings.HasPrefix(text, "local_action") {
			assert.Equal(t, "localhost", task.DelegateTo.Text)
		}
	}
}

func TestArgumentsKnowTheirPlaces(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`copy: src=a dest=b`,
		`copy: "src=a dest=b"`,
		`copy: 'src=a dest=b'`,
		`copy: "src=\"a\" dest=b"`,
		"copy: |\n        src=a\n        dest=b",
		"action: copy src=a dest=b",
		"args: {}\n      copy: src=a dest=b",
		"ansible.builtin.copy: src={{ 'a b' }} dest=b",
	} {
		source := "- hosts: all\n  tasks:\n    - " + text + "\n"
		args := tasks(t, parse(t, source))[0].Args
		require.Len(t, args.Pairs, 2, text)
		at := func(pos diag.Pos) string { return strings.Split(source, "\n")[pos.Line-1][pos.Col-1:] }
		assert.True(t, strings.HasPrefix(at(args.Pairs[1].Key.Pos), "dest="), text)
		assert.Equal(t, "b", strings.TrimRight(at(args.Pairs[1].Value.Pos), `"'`), text)
	}
}

func TestLoopsAndRetries(t *testing.T) {
	t.Parallel()
	all := tasks(t, parse(t, `
- hosts: all
  tasks:
    - command: ls
      with_dict: "{{ d }}"
      loop_control: { loop_var: x, index_var: i, label: "{{ x.key }}", pause: 0.5, extended: yes }
    - command: ls
      loop: [a]
      until: out is success
      retries: 2
      delay: 1
      register: out
    - command: ls
      retries: "{{ n }}"
`))
	loop := all[0].Loop
	assert.Equal(t, "dict", loop.Lookup)
	assert.Equal(t, []string{"x", "i"}, []string{loop.Var, loop.IndexVar})
	assert.True(t, loop.Extended)
	assert.Equal(t, "item", all[1].Loop.Var)
	assert.Equal(t, "out is success", all[1].Retry.Until[0].Text)
	assert.Equal(t, "2", all[1].Retry.Retries.Text)
	assert.Empty(t, all[2].Retry.Until)
}

func TestImportsCarryWhatIsSaidOfThem(t *testing.T) {
	t.Parallel()
	pb := parse(t, `
- import_playbook: sub/{{ x }}.yml
  when: a
  vars: { v: 1 }
  tags: [t, "{{ x }}"]
`, "sub/more.yml", `
- hosts: all
  tags: own
  tasks:
    - import_tasks: tasks/list.yml
      when: b
`, "sub/tasks/list.yml", "- command: ls\n- import_tasks: deeper.yml\n", "sub/tasks/deeper.yml", "- command: ls\n")
	require.Empty(t, pb.Mistakes)
	play := pb.Plays[0]
	assert.Equal(t, "a", play.When[0].Text)
	assert.Equal(t, []string{"t", "more", "own"}, play.Tags)
	assert.Equal(t, "1", play.ImportVars[0].Get("v").Text)
	assert.Equal(t, "sub", play.Dir)
	imported := play.Tasks[0].(*playbook.Block)
	assert.True(t, imported.Inline)
	assert.Equal(t, "b", imported.When[0].Text)
	require.Len(t, imported.Body, 2)
	require.Len(t, pb.Files, 4)
	assert.Equal(t, "site.yml", pb.Files[0].Path)
	assert.Len(t, pb.Files[0].SHA256, 64)
}

func TestImportsThatMultiplyAreRefused(t *testing.T) {
	t.Parallel()
	var files []string
	for _, name := range strings.Split("abcdefghijklmnop", "") {
		next := string(name[0] + 1)
		files = append(files, name+".yml", strings.Repeat("- import_tasks: "+next+".yml\n", 4))
	}
	files = append(files, "q.yml", "- command: ls\n")
	pb := parse(t, "- hosts: all\n  tasks:\n    - import_tasks: a.yml\n", files...)
	require.Len(t, pb.Mistakes, 1)
	assert.Contains(t, pb.Mistakes[0].Msg, "more than 5000 files")
}

func TestUnreadablePlaybook(t *testing.T) {
	t.Parallel()
	_, err := playbook.Load("there/is/none.yml", playbook.Options{Kinds: kinds{}})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestParseBatch(t *testing.T) {
	t.Parallel()
	count, percent, ok := playbook.ParseBatch(" 30% ")
	assert.Equal(t, []any{0, 30.0, true}, []any{count, percent, ok})
	count, percent, ok = playbook.ParseBatch("5")
	assert.Equal(t, []any{5, 0.0, true}, []any{count, percent, ok})
	for _, bad := range []string{"0", "-1", "0%", "101%", "x", "", "%", "NaN%"} {
		_, _, ok := playbook.ParseBatch(bad)
		assert.False(t, ok, bad)
	}
}

func TestUses(t *testing.T) {
	t.Parallel()
	pb := parse(t, `
- hosts: all
  gather_subset: min
  tasks:
    - command: ls
      register: a
    - ansible.builtin.command: ls
      register: b
      async: 1
    - apt: name=x
    - community.general.ufw: { state: enabled }
    - pipe: [gzip, { fetch: { dest: a } }]
      with_items: [1]
      with_password: x
`)
	var got []string
	for _, u := range pb.Uses {
		got = append(got, fmt.Sprintf("%s %s %d %t", u.What, u.Name, u.Count, u.Supported))
	}
	assert.Equal(t, []string{
		"keyword async 1 false", "keyword gather_subset 1 false", "keyword hosts 1 true", "keyword register 2 true",
		"keyword tasks 1 true", "keyword with_items 1 true", "keyword with_password 1 false",
		"task kind apt 1 false", "task kind command 2 true", "task kind community.general.ufw 1 false",
		"task kind fetch 1 true", "task kind gzip 1 true", "task kind pipe 1 true",
	}, got)
}
