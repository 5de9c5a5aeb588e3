package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/demo"
	"github.com/torrust/runner/internal/tracker"
	"github.com/torrust/runner/playbooks"
)

// trackCommand is the hidden command that is a simulated tracker.
const trackCommand = "simulate-tracker"

func newDemoCmd(s *streams) *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Back up three simulated tracker hosts on this machine, about 15 seconds",
		Long: `Starts three tracker hosts in this process: real SSH servers on loopback ports,
each with a database of about 100 MB that a simulated tracker writes to. Then
it runs the shipped playbook against them as any other run, restores what was
brought home, and compares it with what the trackers wrote.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			o.Out = s.out
			o.Tracker = []string{self, trackCommand}
			o.Program = cmp.Or(s.env("RUNNER_DEMO_PROGRAM"), cmd.Root().Name())
			o.Playbook, o.PlaybookName = playbooks.BackupSQLite, playbooks.BackupSQLiteName
			o.Run = func(ctx context.Context, playbook, inventory, store string) error {
				r := runFlags{inventory: inventoryFlags{sources: []string{inventory}}, store: store, forks: defaultForks}
				r.output.format = "text"
				return r.run(ctx, s, []string{playbook})
			}
			return demo.Run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Dir, "dir", "", "`folder` for all of it (a new temporary one if not given)")
	f.StringVar(&o.Store, "store", "", "`folder` of the backup sets (DIR/backups if not given)")
	f.IntVar(&o.Port, "port", 0, "`port` of the first host, the others follow (free ones if not given)")
	f.BoolVar(&o.Keep, "keep", false, "keep the files of the hosts")
	return cmd
}

// newTrackCmd is the process that writes to a demo's database: locks on files
// belong to processes.
func newTrackCmd(s *streams) *cobra.Command {
	var every time.Duration
	var journal string
	cmd := &cobra.Command{
		Use:    trackCommand + " DATABASE LEDGER",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := tracker.Run(cmd.Context(), tracker.Job{Database: args[0], Ledger: args[1], Every: every, Journal: journal}, s.in, s.out)
			if errors.Is(err, errInterrupted) {
				return nil // stopped with the demo
			}
			return err
		},
	}
	cmd.Flags().DurationVar(&every, "every", tracker.Usual, "time between two completed downloads")
	cmd.Flags().StringVar(&journal, "journal", "delete", "SQLite's journal `mode`")
	return cmd
}
