// Package cli owns the command line: commands and flags, the wiring of all
// other packages, exit codes, and what a person reads when something is
// wrong.
//
// It never knows how a host is spoken to, nor what the nodes of a YAML file
// look like.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/helper/agent"
)

// Main runs the command line args (without the program's name) and returns
// the exit code. env looks up a variable of the environment. The first signal
// to stop cancels the command and lets it clean up; the second makes Main
// return at once, whatever is still going on: the process is expected to end
// then.
func Main(ctx context.Context, args []string, env func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == helper.Argument {
		return agent.Main() // on a host: see package helper
	}
	s := newStreams(env, stdin, stdout, stderr)
	ctx, second, stop := watchSignals(ctx, stderr)
	defer stop()
	done := make(chan int, 1)
	go func() { done <- execute(ctx, s, args) }() // waited for, or the process ends
	select {
	case code := <-done:
		return code
	case <-second:
		return exitInterrupted
	}
}

// execute runs one command.
func execute(ctx context.Context, s *streams, args []string) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	complain(s, err)
	return exitCode(ctx, err)
}

func newRoot(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "runner",
		Short: "Run playbooks on hosts over SSH, and bring provably whole backups home",
		Long: `runner runs YAML playbooks on the hosts of an inventory over SSH, as Ansible
does; nothing is installed on the hosts. Its main job is backups of live
Torrust trackers that are provably whole.

Try it, no host needed:       runner demo
Back up your own hosts:       runner run playbooks/backup-sqlite.yml -i inventory.yml`,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return cmd.Help()
		},
		Args: noSuchCommand,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{msg: err.Error(), hint: "see: " + cmd.CommandPath() + " --help"}
	})
	root.SetHelpCommand(&cobra.Command{Use: "help [command]", Short: "Explain a command", RunE: func(_ *cobra.Command, args []string) error {
		found, rest, err := root.Find(args)
		if err != nil || len(rest) > 0 {
			return noSuchCommand(found, rest)
		}
		return found.Help()
	}})
	root.AddCommand(
		newRunCmd(s), newInventoryCmd(s), newHostsCmd(s), newExplainCmd(s), newTasksCmd(s), newBackupsCmd(s), newDemoCmd(s), newTrackCmd(s), newVersionCmd(s),
	)
	strictArgs(root)
	return root
}

// strictArgs makes mistakes in the arguments of cmd usage errors.
func strictArgs(cmd *cobra.Command) {
	cmd.SuggestionsMinimumDistance = 2
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if usage := (*usageError)(nil); err == nil || errors.As(err, &usage) {
				return err
			}
			return &usageError{msg: err.Error(), hint: "see: " + cmd.CommandPath() + " --help"}
		}
	}
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
}

// noSuchCommand refuses what is no command, and names the one that was meant.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := &usageError{msg: "there is no command " + args[0], hint: "see: " + cmd.CommandPath() + " --help"}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err.hint = "did you mean: " + strings.Join(near, ", ")
	}
	return err
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{msg: fmt.Sprintf("%s takes no argument, %q is one", cmd.Name(), args[0]), hint: "see: " + cmd.CommandPath() + " --help"}
}

// needsCommand is the RunE of a command that only groups others.
func needsCommand(cmd *cobra.Command, _ []string) error {
	return &usageError{msg: cmd.Name() + " needs a command of its own", hint: "see: " + cmd.CommandPath() + " --help"}
}
