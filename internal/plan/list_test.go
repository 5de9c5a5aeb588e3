package plan_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/plan"
)

// listings are the command lines whose output is compared.
func listings() map[string]struct {
	o plan.Options
	l plan.Listing
} {
	return map[string]struct {
		o plan.Options
		l plan.Listing
	}{
		"--list-tasks": {l: plan.Listing{Tasks: true}},
		"--list-tags":  {l: plan.Listing{Tags: true}},
		"--list-hosts": {l: plan.Listing{Hosts: true}},
		"--list-hosts --list-tasks --list-tags --tags a,z": {plan.Options{Tags: []string{"a", "z"}}, plan.Listing{Hosts: true, Tasks: true, Tags: true}},
		"--list-tasks --skip-tags a,imported,play":         {plan.Options{SkipTags: []string{"a", "imported", "play"}}, plan.Listing{Tasks: true}},
		"--list-tasks --tags tagged,never":                 {plan.Options{Tags: []string{"tagged", "never"}}, plan.Listing{Tasks: true}},
		"--list-tasks --tags untagged":                     {plan.Options{Tags: []string{"untagged"}}, plan.Listing{Tasks: true}},
		"--list-tasks --skip-tags tagged":                  {plan.Options{SkipTags: []string{"tagged"}}, plan.Listing{Tasks: true}},
		"--list-tasks --skip-tags all":                     {plan.Options{SkipTags: []string{"all"}}, plan.Listing{Tasks: true}},
	}
}

// TestListings compares listings with what ansible-playbook has printed.
// REQUIRE_ANSIBLE=1 lets ansible-playbook print it anew, and compares both.
func TestListings(t *testing.T) {
	t.Parallel()
	golden(t, "list", func(t *testing.T, files []string) string {
		var b strings.Builder
		for _, args := range sortedKeys(listings()) {
			c := listings()[args]
			p, err := build(t, c.o, files...)
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, c.l.Write(&out, p))
			fmt.Fprintf(&b, "$ ansible-playbook site.yml %s\n%s", args, sortHosts(out.String()))
		}
		if os.Getenv("REQUIRE_ANSIBLE") != "" {
			assert.Equal(t, ansibleListings(t, files), b.String())
		}
		return b.String()
	})
}

func ansibleListings(t *testing.T, files []string) string {
	dir := t.TempDir()
	files = append(files, "inventory", "[trackers]\nalpha\nbeta\ngamma\n")
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(files[i+1]), 0o600))
	}
	var b strings.Builder
	for _, args := range sortedKeys(listings()) {
		cmd := exec.CommandContext(t.Context(), "ansible-playbook", append([]string{"-i", "inventory", "site.yml"}, strings.Fields(args)...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "ANSIBLE_LOCALHOST_WARNING=0", "ANSIBLE_NOCOLOR=1", "HOME="+dir)
		out, err := cmd.Output()
		require.NoError(t, err, string(out))
		fmt.Fprintf(&b, "$ ansible-playbook site.yml %s\n%s", args, sortHosts(string(out)))
	}
	return b.String()
}

// sortHosts sorts the hosts of a listing: ansible-playbook prints a set.
func sortHosts(s string) string {
	lines := strings.Split(s, "\n")
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "    hosts (") {
			continue
		}
		end := i + 1
		for end < len(lines) && strings.HasPrefix(lines[end], "      ") {
			end++
		}
		slices.Sort(lines[i+1 : end])
		i = end - 1
	}
	return strings.Join(lines, "\n")
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
