package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/playbook"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/template"
	"github.com/torrust/runner/internal/vars"
)

func (b *builder) play(src *playbook.Play) *Play {
	p := &Play{
		Name: src.Name, Pos: src.Pos, Dir: src.Dir, Tags: src.Tags,
		Vars: b.playVars(src), VarsFiles: src.VarsFiles, Prompts: src.Prompts,
	}
	scope := vars.Stack{}.With(p.Vars, b.o.Extra)
	for _, n := range src.VarsFiles {
		b.templates(n)
	}
	b.hosts(p, src, scope)
	b.schemas(p, src)
	p.Strategy = b.strategy(src.Strategy, scope)
	for _, n := range src.Serial {
		if batch, ok := b.batch(n, scope); ok {
			p.Serial = append(p.Serial, batch)
		}
	}
	if n := src.MaxFailPercentage; n != nil {
		if f, ok := b.number64(n, "max_fail_percentage", scope); ok {
			p.MaxFailPercentage = &f
		}
	}
	p.ForceHandlers = b.boolean(src.ForceHandlers, scope)
	if b.boolean(src.GatherFacts, scope) {
		b.errs.Addf(src.GatherFacts.Pos, "facts of hosts are not gathered yet").WithHint("leave gather_facts out; command with register finds out what you need")
	}

	in := inherited{keywords: src.Keywords, when: src.When, tags: src.Tags, dir: src.Dir}
	b.keywordTemplates(src.Keywords)
	sections := [][]playbook.Step{src.PreTasks, append(slices.Clone(src.Roles), src.Tasks...), src.PostTasks}
	for _, section := range sections {
		in.vars = append(in.vars, b.exported(section)...)
	}
	for _, section := range sections {
		p.Sections = append(p.Sections, b.steps(section, in))
	}
	for _, h := range src.Handlers {
		if t := b.task(h, in); t != nil {
			p.Handlers = append(p.Handlers, t)
		}
	}
	p.Handlers = append(b.handlers, p.Handlers...)
	b.notifications(src, p.Handlers)
	return p
}

// playVars joins the vars of a play with those of the imports that brought
// it, which win.
func (b *builder) playVars(src *playbook.Play) vars.Layer {
	layer := b.layer(vars.Play, "vars of the play", src.Vars)
	for _, n := range slices.Backward(src.ImportVars) {
		over := b.layer(vars.Play, "vars of import_playbook", n)
		if layer.Values == nil {
			layer = over
			continue
		}
		for name, v := range over.Values {
			layer.Values[name], layer.Pos[name] = v, over.Pos[name]
		}
	}
	return layer
}

// hosts resolves the pattern of a play.
func (b *builder) hosts(p *Play, src *playbook.Play, scope template.Scope) {
	for _, n := range src.Hosts {
		v, ok := b.value(n, scope)
		if !ok {
			return
		}
		if list, isList := v.([]any); isList {
			for _, item := range list {
				p.Patterns = append(p.Patterns, fmt.Sprint(item))
			}
			continue
		}
		p.Patterns = append(p.Patterns, fmt.Sprint(v))
	}
	p.Pattern = strings.Join(p.Patterns, ",")
	if p.Name == "" {
		p.Name = p.Pattern
	}
	if len(src.Hosts) == 0 || b.o.Select == nil {
		return
	}
	at := src.Hosts[0].Pos
	hosts, err := b.o.Select(p.Patterns)
	if err != nil {
		b.errs.AddErr(at, err)
		return
	}
	p.Hosts = b.order(src.Order, slices.Clone(hosts), scope)
}

var orders = []string{"inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"}

func (b *builder) order(n *strictyaml.Node, hosts []*Host, scope template.Scope) []*Host {
	switch b.oneOf(n, "order", orders, scope) {
	case "reverse_inventory":
		slices.Reverse(hosts)
	case "sorted":
		slices.SortStableFunc(hosts, func(x, y *Host) int { return strings.Compare(x.Name, y.Name) })
	case "reverse_sorted":
		slices.SortStableFunc(hosts, func(x, y *Host) int { return strings.Compare(y.Name, x.Name) })
	case "shuffle":
		rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	}
	return hosts
}

func (b *builder) strategy(n *strictyaml.Node, scope template.Scope) string {
	if n != nil && strings.TrimPrefix(n.Text, "ansible.builtin.") == "debug" {
		b.errs.Addf(n.Pos, "the strategy debug is not supported").WithHint("use linear, and run with --step")
		return "linear"
	}
	return b.oneOf(n, "strategy", []string{"linear", "free", "host_pinned"}, scope)
}

// oneOf returns the word that n holds, or the first of words without one.
func (b *builder) oneOf(n *strictyaml.Node, key string, words []string, scope template.Scope) string {
	if n == nil {
		return words[0]
	}
	v, ok := b.value(n, scope)
	if !ok {
		return words[0]
	}
	text := strings.TrimPrefix(fmt.Sprint(v), "ansible.builtin.")
	if !slices.Contains(words, text) {
		e := b.errs.Addf(n.Pos, "%s cannot be %q", key, text)
		if near := diag.Suggest(text, words); near != "" {
			e.WithHint("did you mean %q?", near)
		} else {
			e.WithHint("one of: %s", strings.Join(words, ", "))
		}
		return words[0]
	}
	return text
}

func (b *builder) batch(n *strictyaml.Node, scope template.Scope) (Batch, bool) {
	v, ok := b.value(n, scope)
	if !ok {
		return Batch{}, false
	}
	count, percent, ok := playbook.ParseBatch(fmt.Sprint(v))
	if !ok {
		b.errs.Addf(n.Pos, "serial must be a number of hosts or a percentage, this is %q", fmt.Sprint(v))
	}
	return Batch{Count: count, Percent: percent}, ok
}

func (b *builder) number64(n *strictyaml.Node, key string, scope template.Scope) (float64, bool) {
	v, ok := b.value(n, scope)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(fmt.Sprint(v)), "%"), 64)
	if err != nil {
		b.errs.Addf(n.Pos, "%s must be a number, this is %q", key, fmt.Sprint(v))
	}
	return f, err == nil
}

// boolean returns what n holds; n may be nil, which is false.
func (b *builder) boolean(n *strictyaml.Node, scope template.Scope) bool {
	if n == nil {
		return false
	}
	v, ok := b.value(n, scope)
	if !ok {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(fmt.Sprint(v))) {
	case "true", "yes", "on", "1", "y", "t":
		return true
	}
	return false
}
