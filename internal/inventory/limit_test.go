package inventory_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLimit: a limit leaves fewer hosts, and never means all of them by
// mistake.
func TestLimit(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"hosts.ini": "[web]\nw1\nw2\n[db]\nd1\n", "some": "w2\n  d1 \n\n", "empty": "\n\n",
	})
	inv, err := load(t, filepath.Join(dir, "hosts.ini"))
	require.NoError(t, err)
	all, err := inv.Select("all")
	require.NoError(t, err)
	for limit, want := range map[string][]string{
		"web": {"w1", "w2"}, "all:!w1": {"w2", "d1"}, "@" + dir + "/some": {"w2", "d1"}, "@" + dir + "/some,w1": {"w1", "w2", "d1"},
		"!web": {"d1"}, "w*:&w1": {"w1"},
	} {
		found, err := inv.Limit(all, limit)
		require.NoError(t, err, limit)
		names := []string{}
		for _, h := range found {
			names = append(names, h.Name)
		}
		assert.Equal(t, want, names, limit)
	}
	for limit, message := range map[string]string{
		"": "names no host", ",": "names no host", "@" + dir + "/empty": "names no host",
		"@" + dir + "/none": "no such file", "@" + dir: "is a directory", "~(": "missing",
	} {
		_, err := inv.Limit(all, limit)
		assert.ErrorContains(t, err, message, "%q", limit)
	}
}

// TestMistakes: every mistake of every source at once, each at its place.
func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"a.yml":  "web:\n  hsts: {}\n  hosts:\n    - w1\ndb:\n  hosts:\n    h[1:3:0]:\n  children:\n    db:\n",
		"b.ini":  "[web:vars\nx=1\n[web:things]\n[db]\nh:\nh one\n",
		"c.toml": "[web]\n",
		"d.yml":  "- web\n",
		"e.yml":  "plugin: aws_ec2\n",
	})
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err := load(t, at("a.yml"), at("b.ini"), at("c.toml"), at("d.yml"), at("e.yml"))
	for _, message := range []string{
		`a.yml:2:3: a group has no key "hsts" (did you mean "hosts"?)`,
		"a.yml:4:5: ", "a.yml:7:5: ", `a.yml:9:5: the group "db" cannot be a child of "db"`,
		"b.ini:1:1: ", "b.ini:3:1: ", "b.ini:5:1: ", "b.ini:6:1: ",
		"c.toml: TOML is not read", "d.yml:1:1: ", "e.yml:1:1: ",
	} {
		assert.ErrorContains(t, err, message)
	}
	if t.Failed() {
		t.Log(err)
	}
}
