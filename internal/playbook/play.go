package playbook

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Play is one play.
type Play struct {
	Common
	Dir   string // of the playbook it stands in
	Hosts []*strictyaml.Node

	Strategy          *strictyaml.Node
	Order             *strictyaml.Node
	Serial            []*strictyaml.Node
	MaxFailPercentage *strictyaml.Node
	ForceHandlers     *strictyaml.Node
	GatherFacts       *strictyaml.Node

	VarsFiles []*strictyaml.Node
	// VarsSchemas are JSON Schemas of variables.
	VarsSchemas []VarsSchema
	Prompts     []Prompt
	// ImportVars are the vars of the import_playbook that brought the
	// play, outermost first; they win over its own.
	ImportVars []*strictyaml.Node

	PreTasks, Roles, Tasks, PostTasks []Step
	Handlers                          []*Task
}

// VarsSchema is one entry of vars_schema: a file with the JSON Schema of a
// variable.
type VarsSchema struct {
	Name string
	Path string
	Text []byte
	Pos  diag.Pos // of the file's name
}

// Prompt is one entry of vars_prompt.
type Prompt struct {
	Name, Text string
	Default    *strictyaml.Node
	Private    bool
	Confirm    bool
	Pos        diag.Pos
}

func (l *loader) play(n *strictyaml.Node, path string) *Play {
	p := &Play{Dir: filepath.Dir(path)}
	p.Pos = n.Pos
	before := len(l.errs)
	fields := append(l.commonFields(&p.Common), l.playFields(p)...)
	fields = append(fields, l.sectionFields(p)...)
	fields = append(fields, refusedInPlay()...)
	if n.Kind == strictyaml.Map && n.Get("hosts") == nil && looksLikeTask(n) {
		l.errs.Addf(n.Pos, "this is a task, and stands where a play must").WithHint("put it below hosts: and tasks: of a play")
		return nil
	}
	if !l.keys(n, "a play", fields...) {
		return nil
	}
	if len(p.Hosts) == 0 && len(l.errs) == before {
		l.errs.Addf(n.Get("hosts").Pos, "hosts names no host").WithHint("name a group or a host of the inventory, or all")
	}
	return p
}

func looksLikeTask(n *strictyaml.Node) bool {
	for _, p := range n.Pairs {
		switch bareName(p.Key.Text) {
		case "command", "shell", "debug", "pipe", "block", "copy", "fetch", "import_tasks", "include_tasks", "set_fact":
			return true
		}
	}
	return false
}

func (l *loader) playFields(p *Play) []strictyaml.Field {
	return []strictyaml.Field{
		{Name: "hosts", Required: true, Read: func(n *strictyaml.Node, _ *diag.List) { p.Hosts = l.patterns(n) }},
		{Name: "strategy", Read: l.node("strategy", aText, &p.Strategy)},
		{Name: "order", Read: l.node("order", aText, &p.Order)},
		{Name: "serial", Read: func(n *strictyaml.Node, _ *diag.List) { p.Serial = l.serial(n) }},
		{Name: "max_fail_percentage", Read: l.node("max_fail_percentage", aNumber, &p.MaxFailPercentage)},
		{Name: "force_handlers", Read: l.node("force_handlers", aBool, &p.ForceHandlers)},
		{Name: "gather_facts", Read: l.node("gather_facts", aBool, &p.GatherFacts)},
		{Name: "vars_files", Read: func(n *strictyaml.Node, _ *diag.List) { p.VarsFiles = l.varsFiles(n) }},
		{Name: "vars_schema", Read: func(n *strictyaml.Node, _ *diag.List) { p.VarsSchemas = l.varsSchemas(n) }},
		{Name: "vars_prompt", Read: func(n *strictyaml.Node, _ *diag.List) { p.Prompts = l.prompts(n) }},
	}
}

func (l *loader) sectionFields(p *Play) []strictyaml.Field {
	section := func(name string, dst *[]Step) strictyaml.Field {
		return strictyaml.Field{Name: name, Read: func(n *strictyaml.Node, _ *diag.List) { *dst = l.steps(name, n) }}
	}
	return []strictyaml.Field{
		section("pre_tasks", &p.PreTasks),
		section("tasks", &p.Tasks),
		section("post_tasks", &p.PostTasks),
		{Name: "roles", Read: func(n *strictyaml.Node, _ *diag.List) { p.Roles = l.roles(n) }},
		{Name: "handlers", Read: func(n *strictyaml.Node, _ *diag.List) { p.Handlers = l.handlers(n) }},
	}
}

func refusedInPlay() []strictyaml.Field {
	return []strictyaml.Field{
		{Name: "when", Refused: "a play has no condition: put it on the tasks, or on a block around them"},
		{Name: "user", Refused: "write remote_user"},
		{Name: "gather_subset", Refused: "remove it: facts come in one round trip"},
		{Name: "gather_timeout", Refused: "write timeout"},
		{Name: "fact_path", Refused: "read the files with slurp or command"},
		{Name: "validate_argspec", Refused: "check the variables with assert"},
		{Name: "include", Refused: "write import_playbook"},
		{Name: "maintenance_window", Refused: "it stands on a block, around the tasks that need it"},
		{Name: "block", Refused: "a block stands below tasks: of a play"},
		{Name: "register", Refused: "it belongs to a task"},
		{Name: "notify", Refused: "it belongs to a task"},
		{Name: "loop", Refused: "it belongs to a task"},
		{Name: "delegate_to", Refused: "it belongs to a task"},
	}
}

// varsSchemas reads vars_schema: a mapping from variables to files.
func (l *loader) varsSchemas(n *strictyaml.Node) []VarsSchema {
	if n.Kind != strictyaml.Map {
		l.errs.Addf(n.Pos, "vars_schema must be a mapping from variables to files, this is %s", describe(n))
		return nil
	}
	var out []VarsSchema
	for _, pair := range n.Pairs {
		if path, text, ok := l.imported("vars_schema", pair.Value, l.beside()...); ok {
			out = append(out, VarsSchema{Name: pair.Key.Text, Path: path, Text: text, Pos: pair.Value.Pos})
		}
	}
	return out
}

// patterns reads hosts: a text or a list of texts.
func (l *loader) patterns(n *strictyaml.Node) []*strictyaml.Node {
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	var out []*strictyaml.Node
	for _, item := range items {
		if item.Kind == strictyaml.Null {
			l.errs.Addf(item.Pos, "hosts names no host").WithHint("name a group or a host of the inventory, or all")
			continue
		}
		if l.fits("hosts", aText, item) && strings.TrimSpace(item.Text) != "" {
			out = append(out, item)
		}
	}
	return out
}

// serial reads a number, a percentage, or a list of such.
func (l *loader) serial(n *strictyaml.Node) []*strictyaml.Node {
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Seq {
		items = n.Items
	}
	var out []*strictyaml.Node
	for _, item := range items {
		if !templated(item) {
			if _, _, ok := ParseBatch(item.Text); !ok || item.Kind == strictyaml.Map || item.Kind == strictyaml.Seq || item.Kind == strictyaml.Null {
				l.errs.Addf(item.Pos, "serial must be a number of hosts or a percentage, this is %s", describe(item)).WithHint(`serial: 5, serial: "30%%", or a list of such`)
				continue
			}
		}
		out = append(out, item)
	}
	return out
}

// ParseBatch reads an entry of serial: a number of hosts of at least 1, or a
// percentage; the other of the two is 0.
func ParseBatch(s string) (count int, percent float64, ok bool) {
	s = strings.TrimSpace(s)
	if p, isPercent := strings.CutSuffix(s, "%"); isPercent {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		return 0, f, err == nil && f > 0 && f <= 100
	}
	count, err := strconv.Atoi(s)
	return count, 0, err == nil && count > 0
}

// varsFiles reads a list of texts; an entry may be a list of which the first
// file that exists counts.
func (l *loader) varsFiles(n *strictyaml.Node) []*strictyaml.Node {
	switch n.Kind {
	case strictyaml.Null:
		return nil
	case strictyaml.Seq:
	default:
		n = &strictyaml.Node{Kind: strictyaml.Seq, Pos: n.Pos, Items: []*strictyaml.Node{n}}
	}
	var out []*strictyaml.Node
	for _, item := range n.Items {
		ok := true
		if item.Kind == strictyaml.Seq {
			for _, alternative := range item.Items {
				ok = l.fits("vars_files", aText, alternative) && ok
			}
		} else {
			ok = l.fits("vars_files", aText, item)
		}
		if ok {
			out = append(out, item)
		}
	}
	return out
}

func (l *loader) prompts(n *strictyaml.Node) []Prompt {
	if n.Kind == strictyaml.Null {
		return nil
	}
	if n.Kind != strictyaml.Seq {
		l.errs.Addf(n.Pos, "vars_prompt must be a list, this is %s", n.Kind).WithHint(`vars_prompt: [{ name: x, prompt: "What is x?" }]`)
		return nil
	}
	var out []Prompt
	for _, item := range n.Items {
		p := Prompt{Private: true, Pos: item.Pos}
		l.keys(item, "an entry of vars_prompt",
			strictyaml.Field{Name: "name", Required: true, Read: func(n *strictyaml.Node, _ *diag.List) {
				if l.variable(n) {
					p.Name = n.Text
				}
			}},
			strictyaml.Field{Name: "prompt", Read: l.text("prompt", &p.Text)},
			strictyaml.Field{Name: "default", Read: l.node("default", anything, &p.Default)},
			strictyaml.Field{Name: "private", Read: l.flag("private", &p.Private)},
			strictyaml.Field{Name: "confirm", Read: l.flag("confirm", &p.Confirm)},
			strictyaml.Field{Name: "unsafe", Refused: "remove it: an answer is never expanded as a template"},
			strictyaml.Field{Name: "encrypt", Refused: "use the filter password_hash where the value is used"},
			strictyaml.Field{Name: "salt", Refused: "use the filter password_hash where the value is used"},
			strictyaml.Field{Name: "salt_size", Refused: "use the filter password_hash where the value is used"},
		)
		out = append(out, p)
	}
	return out
}
