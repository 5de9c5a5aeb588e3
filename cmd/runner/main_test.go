package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/torrust/runner/internal/conn/sshserver"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"runner": main}) }

// TestScripts runs testdata/script/*.txtar; see the comment of each. The
// command `sshd NAME` starts an SSH server whose home is $WORK/NAME and adds
// it to $WORK/inventory.yml, $WORK/known_hosts; `unplug NAME` ends it.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TMPDIR", env.WorkDir)
			env.Values[serversKey{}] = map[string]*sshserver.Server{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"sshd": sshd, "unplug": unplug},
	})
}

type serversKey struct{}

func servers(ts *testscript.TestScript) map[string]*sshserver.Server {
	return ts.Value(serversKey{}).(map[string]*sshserver.Server)
}

// sshd starts a server and tells the inventory of the script about it.
func sshd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sshd NAME")
	}
	name, root := args[0], ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(root, 0o755))
	key := ts.MkAbs("id_ed25519")
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		public, err = sshserver.WriteKey(key)
		ts.Check(err)
		ts.Check(os.WriteFile(key+".pub", public, 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("inventory.yml"), []byte(fmt.Sprintf(`all:
  vars:
    ansible_host: 127.0.0.1
    ansible_user: torrust
    ansible_ssh_private_key_file: %s
    ansible_ssh_common_args: -o UserKnownHostsFile=%s
  hosts:
`, key, ts.MkAbs("known_hosts"))), 0o600))
	}
	server, err := sshserver.Start(context.Background(), sshserver.Config{Root: root, AuthorizedKeys: public})
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() })
	servers(ts)[name] = server
	addLine(ts, "known_hosts", server.KnownHostsLine())
	addLine(ts, "inventory.yml", fmt.Sprintf("    %s: { ansible_port: %d, home: %s }\n", name, server.Port(), root))
	ts.Setenv(strings.ToUpper(name)+"_PORT", fmt.Sprint(server.Port()))
}

func unplug(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || servers(ts)[args[0]] == nil {
		ts.Fatalf("usage: unplug NAME")
	}
	ts.Check(servers(ts)[args[0]].Close())
}

func addLine(ts *testscript.TestScript, file, line string) {
	f, err := os.OpenFile(filepath.Clean(ts.MkAbs(file)), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = f.WriteString(line)
	ts.Check(err)
	ts.Check(f.Close())
}
