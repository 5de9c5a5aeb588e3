package executor

import (
	"slices"
	"strings"

	"maps"

	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

// hostMagic returns the magic variables that hold for a host in any play.
func (r *run) hostMagic(h *host) map[string]any {
	short, _, _ := strings.Cut(h.Name, ".")
	groups := make(map[string]any, len(r.plan.Groups))
	for name, members := range r.plan.Groups {
		groups[name] = anyList(members)
	}
	out := map[string]any{
		"inventory_hostname":       h.Name,
		"inventory_hostname_short": short,
		"group_names":              anyList(h.Groups),
		"groups":                   groups,
		"omit":                     vars.Omit{},
		"hostvars":                 hostvars{r},
		"ansible_check_mode":       r.o.Check,
		"ansible_diff_mode":        r.o.Diff,
		"ansible_verbosity":        int64(r.o.Verbosity),
		"ansible_forks":            int64(r.o.Forks),
	}
	maps.Copy(out, r.o.Magic)
	return out
}

// magic returns the magic variables of a play, of one of its hosts.
func (p *play) magic(*host) map[string]any {
	var alive []string
	for _, h := range p.batch {
		if !h.gone() {
			alive = append(alive, h.Name)
		}
	}
	all := make([]string, len(p.Hosts))
	for i, h := range p.Hosts {
		all[i] = h.Name
	}
	return map[string]any{
		"playbook_dir":           p.Dir,
		"ansible_play_name":      p.Name,
		"ansible_play_hosts":     anyList(alive),
		"play_hosts":             anyList(alive),
		"ansible_play_batch":     anyList(names(p.batch)),
		"ansible_play_hosts_all": anyList(all),
	}
}

func anyList(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// hostvars is the magic variable: the variables of every host, each looked up
// only when it is used.
type hostvars struct{ run *run }

var _ template.Scope = hostvars{}

// Lookup implements template.Scope.
func (v hostvars) Lookup(name string) (value any, literal, ok bool) {
	h, ok := v.run.hosts[name]
	if !ok {
		return nil, false, false
	}
	return v.run.hostScope(h), false, true
}

// Names implements template.Scope.
func (v hostvars) Names() []string { return slices.Sorted(maps.Keys(v.run.plan.Hosts)) }
