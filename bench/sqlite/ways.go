package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/torrust/runner/internal/conn/shell"
)

// way is a way to bring the database home. Its command leaves a compressed
// copy at the path that it is given.
type way struct {
	name    string
	command func(b *bench, path string) string
}

func ways() []way {
	return []way{
		{"runner", (*bench).byRunner},
		{"ssh cat | gzip -1", (*bench).byCat},
		{"sqlite3 .backup, gzip -1, scp", (*bench).byBackup},
	}
}

func (b *bench) byRunner(path string) string {
	store := filepath.Dir(path)
	return words(b.o.runner, "run", b.playbook, "-i", b.inventory, "--store", store) + " >/dev/null && mv " +
		shell.Quote(store) + "/host/latest/sqlite.db.gz " + shell.Quote(path)
}

func (b *bench) byCat(path string) string {
	return b.ssh("cat "+shell.Quote(b.database)) + " | gzip -1 >" + shell.Quote(path)
}

func (b *bench) byBackup(path string) string {
	copied := b.database + ".copy"
	backup := words("sqlite3", "-cmd", ".timeout 5000", b.database, ".backup "+copied)
	return strings.Join([]string{
		b.ssh(backup + " && " + words("gzip", "-1", copied)),
		"scp -q -P " + fmt.Sprint(b.server.Port) + " " + b.flags() + " " + shell.Quote(b.login()+":"+copied+".gz") + " " + shell.Quote(path),
		b.ssh(words("rm", copied+".gz")),
	}, " && ")
}

func (b *bench) ssh(command string) string {
	return fmt.Sprintf("ssh -p %d %s %s %s", b.server.Port, b.flags(), shell.Quote(b.login()), shell.Quote(command))
}

func (b *bench) login() string { return b.server.User.Username + "@127.0.0.1" }

func (b *bench) flags() string {
	return words("-F", "none", "-o", "IdentitiesOnly=yes", "-i", b.server.Key, "-o", "UserKnownHostsFile="+b.server.KnownHosts)
}

func words(list ...string) string { return shell.Join(list) }

// tidy removes what a way that was given up has left on the host.
func (b *bench) tidy() error {
	left, err := filepath.Glob(b.database + ".copy*")
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// run runs a way once. If that fails, or is given up at the deadline, why says
// so.
func (b *bench) run(ctx context.Context, w way, path string) (took time.Duration, why string) {
	ctx, cancel := context.WithTimeout(ctx, b.o.deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", "set -o pipefail; "+w.command(b, path))
	inGroup(cmd)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took = time.Since(began)
	if ctx.Err() != nil {
		return took, fmt.Sprintf("did not end within %s", b.o.deadline)
	}
	if err != nil {
		return took, fmt.Sprintf("failed (%s)", strings.Join(strings.Fields(string(out)), " "))
	}
	return took, ""
}
