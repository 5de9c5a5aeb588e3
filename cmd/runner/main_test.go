package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/conn/sshserver"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/helper/agent"
	"github.com/torrust/runner/internal/tracker"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == helper.Argument {
		os.Exit(agent.Main()) // a runner without an embedded helper puts itself on the host
	}
	if os.Getenv(asRunner) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"runner": main})
}

// TestScripts runs testdata/script/*.txtar; see the comment of each. They have
// these commands besides the usual ones:
//
//	sshd NAME [BYTES]   start an SSH server whose home is $WORK/NAME, which
//	                    hangs up after so many BYTES if that is given; add it
//	                    to $WORK/inventory.yml and to $WORK/known_hosts
//	unplug NAME         end that server
//	tracker NAME ROWS   put the files of a tracker host below $WORK/NAME
//	tmpfs DIR SIZE      mount a small disk (as root)
func TestScripts(t *testing.T) {
	t.Parallel()
	shipped, err := filepath.Abs("../../playbooks")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TMPDIR", env.WorkDir)
			env.Setenv("PLAYBOOKS", shipped)
			env.Values[serversKey{}] = map[string]*sshserver.Server{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sshd": sshd, "unplug": unplug, "tracker": trackerHost, "tmpfs": tmpfs, "guide": guide,
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("unknown condition %s", name)
			}
			return os.Getuid() == 0, nil
		},
	})
}

type serversKey struct{}

func servers(ts *testscript.TestScript) map[string]*sshserver.Server {
	return ts.Value(serversKey{}).(map[string]*sshserver.Server)
}

// sshd starts a server and tells the inventory of the script about it.
func sshd(ts *testscript.TestScript, neg bool, args []string) {
	var faults sshserver.Faults
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: sshd NAME [BYTES]")
	}
	if len(args) == 2 {
		n, err := strconv.ParseInt(args[1], 10, 64)
		ts.Check(err)
		faults.DropAfter = n
	}
	name, root := args[0], ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(root, 0o755))
	key := ts.MkAbs("id_ed25519")
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		public, err = sshserver.WriteKey(key)
		ts.Check(err)
		ts.Check(os.WriteFile(key+".pub", public, 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("inventory.yml"), []byte(fmt.Sprintf(`trackers:
  vars:
    ansible_host: 127.0.0.1
    ansible_user: torrust
    ansible_ssh_private_key_file: %s
    ansible_ssh_common_args: -o UserKnownHostsFile=%s
  hosts:
`, key, ts.MkAbs("known_hosts"))), 0o600))
	}
	server, err := sshserver.Start(context.Background(), sshserver.Config{Root: root, AuthorizedKeys: public, Faults: faults})
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() })
	servers(ts)[name] = server
	addLine(ts, "known_hosts", server.KnownHostsLine())
	addLine(ts, "inventory.yml", fmt.Sprintf("    %s: { ansible_port: %d, home: %s, torrust_root: %s }\n", name, server.Port(), root, torrust(root)))
	ts.Setenv(strings.ToUpper(name)+"_PORT", fmt.Sprint(server.Port()))
}

func unplug(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || servers(ts)[args[0]] == nil {
		ts.Fatalf("usage: unplug NAME")
	}
	ts.Check(servers(ts)[args[0]].Close())
}

// torrust is where the tracker of a host stands whose home is root.
func torrust(root string) string { return filepath.Join(root, "torrust") }

func trackerHost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tracker NAME ROWS")
	}
	rows, err := strconv.Atoi(args[1])
	ts.Check(err)
	dir := torrust(ts.MkAbs(args[0]))
	ts.Check(tracker.WriteLayout(dir, args[0]))
	ts.Check(tracker.MakeDatabase(context.Background(), filepath.Join(dir, tracker.DatabasePath), rows))
	ts.Setenv("DB", filepath.Join(dir, tracker.DatabasePath))
}

// guide runs the commands of a page of docs: the lines of its blocks of sh, each
// block in a shell of its own.
func guide(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: guide PAGE")
	}
	text, err := os.ReadFile(filepath.Join(ts.Getenv("PLAYBOOKS"), "..", "docs", args[0]))
	ts.Check(err)
	blocks := docShell.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 5 {
		ts.Fatalf("%s has only %d blocks of commands", args[0], len(blocks))
	}
	for _, block := range blocks {
		ts.Check(ts.Exec("sh", "-ec", block[1]))
	}
}

func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs DIR SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(ts.Exec("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", dir))
	ts.Defer(func() { ts.Check(ts.Exec("umount", dir)) })
}

func addLine(ts *testscript.TestScript, file, line string) {
	f, err := os.OpenFile(filepath.Clean(ts.MkAbs(file)), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = f.WriteString(line)
	ts.Check(err)
	ts.Check(f.Close())
}
