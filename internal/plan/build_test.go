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
