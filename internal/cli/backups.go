package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/tasks"
)

// defaultStore is where backup sets go.
const defaultStore = "backups"

func newBackupsCmd(s *streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backups",
		Short: "Look at backup sets",
		Args:  noSuchCommand,
		RunE:  needsCommand,
	}
	cmd.AddCommand(newBackupsListCmd(s))
	return cmd
}

// addStoreFlag adds --store, whose default the environment may set.
func addStoreFlag(cmd *cobra.Command, s *streams, store *string) {
	cmd.Flags().StringVar(store, "store", cmp.Or(s.env("RUNNER_STORE"), defaultStore), "`folder` of the backup sets (or RUNNER_STORE)")
}

func newBackupsListCmd(s *streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "list [HOST…]",
		Short: "List the backup sets of a store, oldest first",
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := catalog.Open(path)
			if err != nil {
				return err
			}
			defer store.Close()
			return listBackups(s.out, store, args)
		},
	}
	addStoreFlag(cmd, s, &path)
	return cmd
}

// hostsOf returns the hosts that are asked for, all if none are.
func hostsOf(store *catalog.Store, asked []string) ([]string, error) {
	known, err := store.Hosts()
	if err != nil || len(asked) == 0 {
		return known, err
	}
	for _, host := range asked {
		if !slices.Contains(known, host) {
			return nil, &usageError{
				msg:  fmt.Sprintf("there is no backup of %s in %s", host, store.Path()),
				hint: "there are backups of: " + cmp.Or(strings.Join(known, ", "), "nothing yet"),
			}
		}
	}
	return asked, nil
}

func listBackups(w io.Writer, store *catalog.Store, asked []string) error {
	hosts, err := hostsOf(store, asked)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := 0
	for _, host := range hosts {
		sets, err := store.List(host)
		if err != nil {
			return err
		}
		unfinished, err := store.Unfinished(host)
		if err != nil {
			return err
		}
		for _, set := range append(sets, unfinished...) {
			if rows++; rows == 1 {
				fmt.Fprintln(table, "HOST\tSET\tTIME\tFILES\tSIZE\tSTATE")
			}
			fmt.Fprintln(table, backupRow(host, set))
		}
	}
	if rows == 0 {
		fmt.Fprintf(w, "There is no backup set in %s yet.\n", store.Path())
	}
	return table.Flush()
}

func backupRow(host string, set catalog.Entry) string {
	files, size, state := "?", "?", "complete"
	if m := set.Manifest; m != nil {
		files, size = fmt.Sprint(len(m.Artifacts)), tasks.Size(m.Bytes()).String()
		if m.Status != catalog.Complete {
			state = "incomplete, not a backup"
		}
	}
	if set.Err != nil {
		state = "damaged: " + set.Err.Error()
	}
	return strings.Join([]string{host, set.ID, set.Time.Local().Format(time.DateTime), files, size, state}, "\t")
}
