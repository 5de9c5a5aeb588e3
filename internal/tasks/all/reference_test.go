package all_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/all"
)

const referencePage = "../../../docs/tasks.md"

// TestReferenceIsFresh keeps docs/tasks.md in step with the declarations. With
// UPDATE=1 it writes the page.
func TestReferenceIsFresh(t *testing.T) {
	want := reference(all.Registry().All())
	if os.Getenv("UPDATE") == "1" {
		require.NoError(t, os.WriteFile(referencePage, []byte(want), 0o644))
	}
	got, err := os.ReadFile(referencePage)
	require.NoError(t, err)
	assert.True(t, want == string(got), "docs/tasks.md is stale: make generate")
}

func reference(specs []tasks.Spec) string {
	var b strings.Builder
	b.WriteString(`# Task kinds

Made from the declarations in internal/tasks by ` + "`make generate`" + `.

A kind can be written bare or as ` + "`ansible.builtin.NAME`" + ` where Ansible has it. Kinds that can be a stage of a pipe say so;
what a pipe is stands in [playbooks.md](playbooks.md).

| kind | in a pipe | what it does |
| --- | --- | --- |
`)
	for _, s := range specs {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", s.Name, s.Name, role(s), s.Summary)
	}
	for _, s := range specs {
		kind(&b, s)
	}
	return b.String()
}

func kind(b *strings.Builder, s tasks.Spec) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", s.Name, s.Summary)
	if len(s.Aliases) > 0 {
		fmt.Fprintf(b, "Also known as `%s`.\n\n", strings.Join(s.Aliases, "`, `"))
	}
	switch r, check := role(s), checkMode(s); {
	case r != "" && check:
		fmt.Fprintf(b, "In a pipe: %s. It has a check mode.\n\n", r)
	case r != "":
		fmt.Fprintf(b, "In a pipe: %s. In check mode it is skipped.\n\n", r)
	case check:
		b.WriteString("It has a check mode.\n\n")
	default:
		b.WriteString("In check mode it is skipped.\n\n")
	}
	if s.AnyArgs {
		b.WriteString("Any other key is allowed, too.\n\n")
	}
	params(b, s)
	b.WriteString(s.Doc)
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

func role(s tasks.Spec) string {
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
