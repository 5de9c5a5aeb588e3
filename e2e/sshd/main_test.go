// Package sshd holds the tests that run the whole program against OpenSSH's
// server: a database of 200 MB, a tracker that writes to it as fast as it can,
// and an ordinary user. Without REQUIRE_SSHD=1 they run on a small database,
// once, if there is an sshd.
package sshd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/torrust/runner/internal/cli"
	"github.com/torrust/runner/internal/tracker"
)

// TestMain lets the test binary be the program too: under the name runner,
// and under the name tracker a simulated tracker. The program must not have
// to be built again.
func TestMain(m *testing.M) {
	ctx := context.Background()
	switch filepath.Base(os.Args[0]) {
	case "runner":
		os.Exit(cli.Main(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
	case "tracker":
		every, err := time.ParseDuration(os.Args[1])
		if err == nil {
			err = tracker.Run(ctx, tracker.Job{Database: os.Args[2], Ledger: os.Args[3], Every: every}, os.Stdin, os.Stdout)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// as returns a path by which the test binary is another program.
func as(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// whole tells whether the long form was asked for.
func whole() bool { return os.Getenv("REQUIRE_SSHD") == "1" }
