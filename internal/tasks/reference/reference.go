// Package reference writes what is to be known of task kinds, from their own
// declarations: the page docs/tasks.md and what `runner tasks` shows.
//
// It never knows which kinds there are.
package reference

import (
	"fmt"
	"strings"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
)

// Page returns the page of all kinds, as Markdown.
func Page(specs []tasks.Spec) string {
	var b strings.Builder
	b.WriteString(`# Task kinds

Made from the declarations in internal/tasks by ` + "`make generate`" + `.

A kind can be written bare or as ` + "`ansible.builtin.NAME`" + ` where Ansible has it. Kinds that can be a stage of a pipe say so;
what a pipe is stands in [playbooks.md](playbooks.md).

| kind | in a pipe | what it does |
| --- | --- | --- |
`)
	for _, s := range specs {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", s.Name, s.Name, Role(s), s.Summary)
	}
	for _, s := range specs {
		b.WriteString("\n" + Kind(s))
	}
	return b.String()
}

// Kind returns the section of one kind, as Markdown.
func Kind(s tasks.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.Name, s.Summary)
	if len(s.Aliases) > 0 {
		fmt.Fprintf(&b, "Also known as `%s`.\n\n", strings.Join(s.Aliases, "`, `"))
	}
	switch r, check := Role(s), checkMode(s); {
	case r != "" && check:
		fmt.Fprintf(&b, "In a pipe: %s. It has a check mode.\n\n", r)
	case r != "":
		fmt.Fprintf(&b, "In a pipe: %s. In check mode it is skipped.\n\n", r)
	case check:
		b.WriteString("It has a check mode.\n\n")
	default:
		b.WriteString("In check mode it is skipped.\n\n")
	}
	if s.AnyArgs {
		b.WriteString("Any other key is allowed, too.\n\n")
	}
	params(&b, s)
	b.WriteString(s.Doc)
	return b.String()
}

func params(b *strings.Builder, s tasks.Spec) {
	alone, piped := s.Params(), s.InPipe().Params()
	if len(alone)+len(piped) == 0 {
		return
	}
	b.WriteString("| parameter | type | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, p := range alone {
		row(b, p)
	}
	for _, p := range piped {
		if p.Use == "pipe" {
			row(b, p)
		}
	}
	b.WriteString("\n")
}

func row(b *strings.Builder, p tasks.Param) {
	name := "`" + p.Name + "`"
	if len(p.Aliases) > 0 {
		name += " (`" + strings.Join(p.Aliases, "`, `") + "`)"
	}
	fallback := p.Default
	switch {
	case p.Required:
		fallback = "**required**"
	case fallback != "":
		fallback = "`" + fallback + "`"
	}
	doc := p.Doc
	if len(p.Choices) > 0 {
		doc += "; one of `" + strings.Join(p.Choices, "`, `") + "`"
	}
	switch p.Use {
	case "alone":
		doc += " (not in a pipe)"
	case "pipe":
		doc += " (only in a pipe)"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, p.Type, fallback, strings.ReplaceAll(doc, "|", `\|`))
	for _, sub := range p.Sub {
		sub.Name = p.Name + "." + sub.Name
		row(b, sub)
	}
}

// Role says what a kind can be in a pipe; empty if nothing.
func Role(s tasks.Spec) string {
	var roles []string
	task := s.New()
	if isA[pipe.HostSource](task) || isA[pipe.SpoolSource](task) {
		roles = append(roles, "source")
	}
	if isA[pipe.Filter](task) {
		roles = append(roles, "filter")
	}
	if isA[pipe.Check](task) {
		roles = append(roles, "check")
	}
	if isA[pipe.Sink](task) {
		roles = append(roles, "sink")
	}
	return strings.Join(roles, ", ")
}

func isA[T any](task tasks.Task) bool {
	_, ok := task.(T)
	return ok
}

func checkMode(s tasks.Spec) bool { return isA[tasks.Checker](s.New()) }
