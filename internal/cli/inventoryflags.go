package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/inventory"
	"github.com/torrust/runner/internal/target"
	"github.com/torrust/runner/internal/vault"
)

// inventoryFlags say which inventory, and how what is encrypted in it is
// opened.
type inventoryFlags struct {
	sources       []string
	passwordFiles []string
	askPassword   bool
	maxRange      int // 0: as the inventory has it
	playbookDir   string
	identities    []string
}

// add adds the flags, whose defaults the environment may set.
func (i *inventoryFlags) add(cmd *cobra.Command, s *streams) {
	preset := func(name, separator string) []string {
		if from := s.env(name); from != "" {
			return strings.Split(from, separator)
		}
		return nil
	}
	i.maxRange, _ = strconv.Atoi(s.env("RUNNER_MAX_RANGE")) // what is no number says nothing
	f := cmd.Flags()
	f.StringArrayVarP(&i.sources, "inventory", "i", preset("RUNNER_INVENTORY", ":"), "inventory `file`, folder, program, \"host1,host2,\" or ssh_config:, each with NAME= before it or not (or RUNNER_INVENTORY); repeatable")
	f.StringArrayVar(&i.passwordFiles, "vault-password-file", preset("ANSIBLE_VAULT_PASSWORD_FILE", "\x00"), "read a password of Ansible Vault from `FILE`, or what it prints if it is a program; repeatable")
	f.BoolVarP(&i.askPassword, "ask-vault-pass", "J", false, "ask for a password of Ansible Vault")
	f.StringArrayVar(&i.identities, "age-identity", preset("RUNNER_AGE_IDENTITY", ":"), "open age files with the identities or SSH key of `FILE`, or with what it prints if it is a program; repeatable")
}

// addPlaybookDir adds the flag of the commands that show variables; a run knows
// its playbooks.
func (i *inventoryFlags) addPlaybookDir(cmd *cobra.Command) {
	cmd.Flags().StringVar(&i.playbookDir, "playbook-dir", "", "read group_vars and host_vars beside the playbooks of this `folder`, too")
}

// load reads the inventory; it is nil only if a source cannot be read at all.
func (i *inventoryFlags) load(ctx context.Context, ask *secrets, warn func(string)) (*inventory.Inventory, error) {
	if len(i.sources) == 0 {
		warn("no inventory was given; only localhost is known. Name one with -i")
	}
	keys := &vault.Keys{
		Passwords:  func() ([]string, error) { return i.passwords(ctx, ask) },
		Identities: func() ([]age.Identity, error) { return i.ageIdentities(ctx) },
	}
	inv, err := inventory.Load(ctx, i.sources, inventory.Options{Warn: warn, MaxRange: i.maxRange, Open: keys.Open, Secret: ask.set.Add})
	if err != nil && len(diag.All(err)) == 0 {
		return nil, &usageError{err: err}
	}
	if inv == nil {
		return nil, err
	}
	if i.playbookDir != "" {
		err = errors.Join(err, inv.AddPlaybookVars(i.playbookDir))
	}
	warnOfTypos(inv, warn)
	return inv, err
}

// warnOfTypos tells of variables that are almost connection variables.
func warnOfTypos(inv *inventory.Inventory, warn func(string)) {
	told := map[string]bool{}
	for _, h := range inv.Hosts() {
		for _, layer := range h.Layers() {
			for name := range layer.Values {
				if told[name] || !strings.HasPrefix(name, "ansible_") || target.Known(name) {
					continue
				}
				told[name] = true
				if near := target.Near(name); near != "" {
					warn(fmt.Sprintf("%s: %s means nothing to the runner; did you mean %s?", cmp.Or(layer.Pos[name].String(), layer.Source), name, near))
				}
			}
		}
	}
}

func (i *inventoryFlags) passwords(ctx context.Context, ask *secrets) ([]string, error) {
	var out []string
	for _, path := range i.passwordFiles {
		text, err := fileOrProgram(ctx, path)
		if err != nil {
			return nil, err
		}
		password := strings.TrimRight(string(text), "\r\n")
		ask.set.Add(password)
		out = append(out, password)
	}
	if i.askPassword {
		password, err := ask.ask("Vault password: ")
		if err != nil {
			return nil, err
		}
		out = append(out, password)
	}
	return out, nil
}

func (i *inventoryFlags) ageIdentities(ctx context.Context) ([]age.Identity, error) {
	var out []age.Identity
	for _, path := range i.identities {
		text, err := fileOrProgram(ctx, path)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(string(text), "-----BEGIN") {
			key, err := agessh.ParseIdentity(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			out = append(out, key)
			continue
		}
		found, err := age.ParseIdentities(strings.NewReader(string(text)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// fileOrProgram returns what a file holds, or prints if it may be executed: so
// a key can stay with a password manager.
func fileOrProgram(ctx context.Context, path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Mode()&0o111 == 0 {
		return os.ReadFile(path)
	}
	if !strings.ContainsRune(path, os.PathSeparator) {
		path = "./" + path
	}
	out, err := exec.CommandContext(ctx, path).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w: %s", path, err, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}
