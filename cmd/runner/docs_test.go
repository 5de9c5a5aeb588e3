package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	docFile    = regexp.MustCompile("(?ms)^```\\w+ (\\S+)\n(.*?)^```$")
	docShell   = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	docConsole = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
)

// TestDocumentation runs what docs/*.md shows behind "$ " in blocks that are
// marked as console, in a folder with the files that the page shows, and
// compares what is printed with what the page says.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	bin := t.TempDir()
	require.NoError(t, os.Symlink(self(t), filepath.Join(bin, "runner")))
	ran := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		dir := t.TempDir()
		for _, m := range docFile.FindAllStringSubmatch(string(text), -1) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, m[1]), []byte(m[2]), 0o600))
		}
		for _, block := range docConsole.FindAllStringSubmatch(string(text), -1) {
			for _, part := range strings.Split("\n"+block[1], "\n$ ")[1:] {
				command, want, _ := strings.Cut(part, "\n")
				cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+dir, asRunner+"=1")
				out, err := cmd.CombinedOutput()
				assert.NoError(t, err, command)
				assert.Equal(t, trimmed(want), trimmed(string(out)), "%s: %s", page, command)
				ran++
			}
		}
	}
	assert.Greater(t, ran, 5)
}

// trimmed returns text without blanks at the ends of lines, which an editor
// may remove.
func trimmed(text string) string {
	return strings.TrimSpace(regexp.MustCompile(`(?m)[ ]+$`).ReplaceAllString(text, ""))
}

// asRunner makes the test binary the runner.
const asRunner = "RUNNER_TEST_AS_RUNNER"

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return path
}

// TestExamples loads the inventories that are shipped: both say the same.
func TestExamples(t *testing.T) {
	t.Parallel()
	var said []string
	for _, name := range []string{"example.yml", "example.ini"} {
		cmd := exec.CommandContext(t.Context(), self(t), "inventory", "--list", "-i", filepath.Join("../../inventory", name))
		cmd.Env = append(os.Environ(), asRunner+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		said = append(said, string(out))
	}
	assert.Contains(t, said[0], "tracker-old")
	assert.JSONEq(t, said[0], said[1])
}

// TestReadme reads the inventory that the README shows, and runs its commands
// as far as they need no host.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	m := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindSubmatch(text)
	require.NotNil(t, m)
	inventory := filepath.Join(t.TempDir(), "inventory.yml")
	require.NoError(t, os.WriteFile(inventory, m[1], 0o600))
	ran := 0
	for _, command := range regexp.MustCompile(`(?m)^bin/runner (run .*?)(?:#.*)?$`).FindAllStringSubmatch(string(text), -1) {
		words := strings.Fields(strings.Replace(command[1], "inventory.yml", inventory, 1) + " --list-hosts")
		cmd := exec.CommandContext(t.Context(), self(t), words...)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), asRunner+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "tracker-1")
		ran++
	}
	assert.Equal(t, 3, ran)
}

// TestBackupConfiguration: the guide names every key of the variable backup, and
// its example is one.
func TestBackupConfiguration(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/backing-up-trackers.md")
	require.NoError(t, err)
	text, err := os.ReadFile("../../playbooks/backup.schema.json")
	require.NoError(t, err)
	var schema struct {
		Properties map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(text, &schema))
	for name, p := range schema.Properties {
		assert.Contains(t, string(guide), "| `"+name, "the key %s", name)
		for inner := range p.Properties {
			if name == "maintenance_window" {
				assert.Contains(t, string(guide), "`"+inner+"`")
			} else {
				assert.Contains(t, string(guide), "`"+name+"."+inner+"`")
			}
		}
	}
	example := regexp.MustCompile("(?ms)^```yaml\n(backup:\n.*?)^```$").FindSubmatch(guide)
	require.NotNil(t, example)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "group_vars"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "group_vars", "all.yml"), append([]byte("vault_backup_password: x\n"), example[1]...), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "inventory.yml"), []byte("all: {hosts: {a: {}}}\n"), 0o600))
	cmd := exec.CommandContext(t.Context(), self(t), "run", "../../playbooks/backup.yml", "-i", filepath.Join(dir, "inventory.yml"), "--list-hosts")
	cmd.Env = append(os.Environ(), asRunner+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// TestUnits: what the units of systemd start is there.
func TestUnits(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../playbooks/systemd/runner-backup.service")
	require.NoError(t, err)
	commands := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/runner run (\S+) -i inventory.yml$`).FindAllStringSubmatch(string(text), -1)
	require.Len(t, commands, 2)
	for _, c := range commands {
		assert.FileExists(t, filepath.Join("../..", c[1]))
	}
}
