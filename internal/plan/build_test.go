package plan_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/plan"
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/tasks/window"
	"github.com/torrust/runner/internal/vars"
)

// fleet selects from three hosts by name, group or "all".
func fleet() (map[string]*plan.Host, func([]string) ([]*plan.Host, error)) {
	names := []string{"alpha", "beta", "gamma"}
	hosts := map[string]*plan.Host{}
	for _, name := range names {
		hosts[name] = &plan.Host{Name: name, Groups: []string{"trackers"}}
	}
	return hosts, func(patterns []string) ([]*plan.Host, error) {
		var out []*plan.Host
		for _, name := range names {
			for _, p := range patterns {
				if p == "bad[" {
					return nil, errors.New("the pattern bad[ has no end")
				}
				if p == "all" || p == "trackers" || slices.Contains(strings.Split(p, ":"), name) {
					out = append(out, hosts[name])
					break
				}
			}
		}
		return out, nil
	}
}

// build plans playbooks that are given as files: name, text, name, text…; the
// first is the playbook.
func build(t *testing.T, o plan.Options, files ...string) (*plan.Plan, error) {
	t.Helper()
	texts := map[string]string{}
	for i := 0; i < len(files); i += 2 {
		texts[files[i]] = files[i+1]
	}
	if o.Registry == nil {
		o.Registry = registry()
	}
	o.Window = window.Specs
	o.Hosts, o.Select = fleet()
	pb, err := playbook.Load(files[0], playbook.Options{Kinds: plan.Kinds(o.Registry), ReadFile: func(path string) ([]byte, error) {
		if text, ok := texts[path]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}})
	if err != nil {
		return nil, err
	}
	o.Playbooks = []*playbook.Playbook{pb}
	return plan.Build(context.Background(), o)
}

func TestBuildShippedPlaybook(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "playbooks", "backup-sqlite.yml"))
	require.NoError(t, err)
	p, err := build(t, plan.Options{Registry: realKinds()}, "backup-sqlite.yml", string(text))
	require.NoError(t, err)
	require.Len(t, p.Plays, 1)
	play := p.Plays[0]
	assert.Equal(t, "free", play.Strategy)
	assert.Len(t, play.Hosts, 3)
	require.NotEmpty(t, play.Sections[1])
	work, ok := play.Sections[1][0].(*plan.Task).Work.(plan.Pipe)
	require.True(t, ok)
	assert.Equal(t, "sqlite_copy", work.Stages[0].Spec.Name)
	assert.Equal(t, "fetch", work.Stages[len(work.Stages)-1].Spec.Name)
}

func TestBuildEveryShippedPlaybook(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join("..", "..", "playbooks", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		schema := filepath.Join(filepath.Dir(path), "backup.schema.json")
		schemaText, err := os.ReadFile(schema)
		require.NoError(t, err)
		p, err := build(t, plan.Options{Registry: realKinds()}, path, string(text), schema, string(schemaText))
		require.NoError(t, err)
		assert.Len(t, p.Plays[0].Hosts, 3, path)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	o := plan.Options{Registry: registry()}
	_, err := o.Load(t.Context(), filepath.Join(t.TempDir(), "none.yml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	found, err := o.Load(t.Context(), filepath.Join("..", "..", "playbooks", "backup-sqlite.yml"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Empty(t, found[0].Mistakes)
}

func TestBuildInherits(t *testing.T) {
	t.Parallel()
	p, err := build(t, plan.Options{}, "site.yml", `
- hosts: all
  become: yes
  tags: play
  environment: { A: "1" }
  vars: { x: 1 }
  tasks:
    - block:
        - command: ls -l chdir=/tmp
          when: x == 1
          become: no
          environment: { B: "2" }
          tags: [own, play]
        - debug: { msg: hello }
      rescue:
        - debug: { msg: rescued }
      when: outer
      vars: { y: 2 }
      tags: block
`)
	require.NoError(t, err)
	block := p.Plays[0].Sections[1][0].(*plan.Block)
	task := block.Body[0].(*plan.Task)
	assert.Equal(t, []string{"play", "block", "own"}, task.Tags)
	assert.Equal(t, "no", task.Keywords.Become.Text)
	assert.Equal(t, "yes", block.Body[1].(*plan.Task).Keywords.Become.Text)
	assert.Len(t, task.Keywords.Environment, 2)
	require.Len(t, task.When, 2)
	assert.Equal(t, "outer", task.When[0].Text)
	assert.Equal(t, "x == 1", task.When[1].Text)
	require.Len(t, task.Vars, 1)
	assert.Equal(t, int64(2), task.Vars[0].Values["y"])
	args := task.Work.(plan.Module).Args
	assert.Equal(t, "ls -l", args.Get("cmd").Text)
	assert.Equal(t, "/tmp", args.Get("chdir").Text)
	assert.Equal(t, diag.Pos{File: "site.yml", Line: 9, Col: 32}, args.Get("chdir").Pos)
	require.Len(t, block.Rescue, 1)
}

func TestBuildRoles(t *testing.T) {
	t.Parallel()
	p, err := build(t, plan.Options{}, "site.yml", `
- hosts: all
  roles:
    - base
    - { role: web, site: main, when: wanted, tags: web, vars: { given: 1 } }
    - base
  tasks:
    - command: "true"
      notify: "web : restart"
    - include_role: { name: base }
      loop: [1, 2]
    - include_tasks: more.yml
      vars: { v: 1 }
  handlers:
    - name: own
      command: "true"
`,
		"roles/base/tasks/main.yml", "- debug: { msg: base }\n",
		"roles/base/defaults/main.yml", "level: base\n",
		"roles/web/tasks/main.yml", "- import_tasks: sub.yml\n- name: Web\n  debug: { msg: web }\n",
		"roles/web/tasks/sub.yml", "- debug: { msg: sub }\n",
		"roles/web/meta/main.yml", "dependencies: [tls]\n",
		"roles/web/handlers/main.yaml", "- name: restart\n  command: restart\n",
		"roles/tls/tasks/main.yml", "- debug: { msg: tls }\n",
		"roles/tls/vars/main.yml", "cert: x\n",
		"more.yml", "- debug: { msg: more }\n",
	)
	require.NoError(t, err)
	var titles []string
	for _, s := range p.Plays[0].Sections[1] {
		titles = append(titles, s.(*plan.Task).Title())
	}
	assert.Equal(t, []string{"base : debug", "tls : debug", "web : debug", "web : Web", "command", "include_role : base", "include_tasks"}, titles)
	tls := p.Plays[0].Sections[1][1].(*plan.Task)
	assert.Equal(t, "roles/tls", tls.Dir)
	assert.Equal(t, []string{"web"}, tls.Tags)
	assert.Equal(t, "wanted", tls.When[0].Text)
	scope := vars.Stack{}.With(p.Plays[0].Sections[1][3].(*plan.Task).Vars...).Flat()
	assert.Equal(t, map[string]any{"level": "base", "cert": "x", "site": "main", "given": int64(1),
		"role_name": "web", "role_path": "roles/web", "ansible_role_name": "web"}, scope)
	require.Len(t, p.Plays[0].Handlers, 2)
	assert.Equal(t, []string{"web : restart"}, p.Plays[0].Handlers[0].Listen)
	include := p.Plays[0].Sections[1][6].(*plan.Task).Work.(plan.Include)
	require.Len(t, include.Steps, 1)
	assert.Equal(t, int64(1), vars.Stack{}.With(include.Steps[0].(*plan.Task).Vars...).Flat()["v"])
}

func TestExplain(t *testing.T) {
	t.Parallel()
	p, err := build(t, plan.Options{}, "site.yml", `
- hosts: all
  tasks:
    - pipe:
        - config_tar: { paths: [/etc] }
        - gzip:
        - verify_size: { min: 1 }
        - fetch: { dest: a }
    - block:
        - name: Database
          pipe:
            - sqlite_copy: { src: /a }
            - gzip:
            - fetch: { dest: b }
    - command: ls
`)
	require.NoError(t, err)
	var out strings.Builder
	require.NoError(t, plan.Explain(&out, p))
	assert.Equal(t, `
play #1 (all): all
  pipe
    config_tar   on the host
    gzip         on the host
    verify_size  on the controller
    fetch        on the controller
  Database
    sqlite_copy  on the host
    gzip         on the controller
    fetch        on the controller
  command
`, out.String())
	assert.ErrorIs(t, plan.Explain(brokenWriter{}, p), os.ErrClosed)
	assert.ErrorIs(t, plan.Listing{Tasks: true}.Write(brokenWriter{}, p), os.ErrClosed)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestStartAt(t *testing.T) {
	t.Parallel()
	const site = `
- hosts: all
  tasks:
    - name: one
      command: ls
- hosts: all
  pre_tasks:
    - name: two
      command: ls
  tasks:
    - block:
        - name: three
          command: ls
        - name: copy a/b
          command: ls
      always:
        - name: four
          command: ls
    - name: five
      command: ls
- hosts: all
  tasks:
    - name: six
      command: ls
`
	for start, want := range map[string][]string{
		"one":   {"one", "two", "three", "copy a/b", "four", "five", "six"},
		"copy*": {"copy a/b", "four", "five", "six"},
		"*":     {"one", "two", "three", "copy a/b", "four", "five", "six"},
		"six":   {"six"},
	} {
		p, err := build(t, plan.Options{StartAt: start}, "site.yml", site)
		require.NoError(t, err)
		var got []string
		for _, play := range p.Plays {
			for _, section := range play.Sections {
				plan.Walk(section, func(task *plan.Task) { got = append(got, task.Name) })
			}
		}
		assert.Equal(t, want, got, start)
	}
	_, err := build(t, plan.Options{StartAt: "seven"}, "site.yml", site)
	assert.ErrorContains(t, err, `no task matches --start-at-task "seven"`)
}

func TestBind(t *testing.T) {
	t.Parallel()
	p, err := build(t, plan.Options{}, "site.yml", `
- hosts: all
  tasks:
    - copy: { src: a, dest: "{{ d }}" }
    - pipe: [sqlite_copy: { src: "{{ d }}" }, fetch: { dest: b }]
    - meta: noop
`)
	require.NoError(t, err)
	steps := p.Plays[0].Sections[1]
	bound, err := steps[0].(*plan.Task).Bind(upper{})
	require.NoError(t, err)
	assert.Equal(t, "{{ D }}", bound.(*copying).Dest)
	_, err = steps[1].(*plan.Task).Bind(upper{})
	require.NoError(t, err)
	_, err = steps[2].(*plan.Task).Bind(upper{})
	assert.ErrorContains(t, err, "meta has nothing to run")
}

// upper expands texts to upper case.
type upper struct{}

func (upper) Expand(n *strictyaml.Node) (any, error) { return strings.ToUpper(n.Text), nil }
func (upper) Eval(string) (any, error)               { return nil, errors.New("nothing to evaluate") }

// TestWindow: what would make the body of a block run although its window could
// not be opened, or the window stay open, does not hold for it.
func TestWindow(t *testing.T) {
	t.Parallel()
	const text = `
- hosts: all
  ignore_errors: true
  tasks:
    - maintenance_window: { stop: tracker }
      when: wanted
      run_once: true
      become: true
      block:
        - debug: { msg: x }
          tags: chosen
    - maintenance_window: { stop: other }
      block:
        - debug: { msg: y }
`
	p, err := build(t, plan.Options{Tags: []string{"chosen"}}, "site.yml", text)
	require.NoError(t, err)
	steps := p.Plays[0].Sections[1]
	require.Len(t, steps, 1, "no window without a body")
	b := steps[0].(*plan.Block)
	assert.Len(t, b.Body, 1)
	assert.NotEqual(t, b.Window.Open.ID, b.Window.Close.ID)
	assert.Len(t, b.Window.Open.When, 1)
	assert.Empty(t, b.Window.Close.When)
	for _, task := range []*plan.Task{b.Window.Open, b.Window.Close} {
		assert.Nil(t, task.Keywords.IgnoreErrors)
		assert.Nil(t, task.Keywords.RunOnce)
		assert.NotNil(t, task.Keywords.Become)
	}
}
