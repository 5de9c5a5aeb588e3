package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/inventory"
)

func newInventoryCmd(s *streams) *cobra.Command {
	var sources []string
	var list, graph bool
	var host string
	cmd := &cobra.Command{
		Use:   "inventory",
		Short: "Show what an inventory says, as ansible-inventory does",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inv, err := readInventory(cmd.Context(), s, sources)
			switch {
			case err != nil:
				return err
			case host != "":
				return asUsage(inv.WriteHost(s.out, host))
			case graph:
				return inv.WriteGraph(s.out)
			case list:
				return inv.WriteList(s.out)
			}
			return &usageError{msg: "nothing was asked for", hint: "give one of --list, --graph, --host NAME"}
		},
	}
	addInventoryFlag(cmd, s, &sources)
	f := cmd.Flags()
	f.BoolVar(&list, "list", false, "everything, as JSON")
	f.BoolVar(&graph, "graph", false, "the groups as a tree")
	f.StringVar(&host, "host", "", "the variables of the host `NAME`, as JSON")
	return cmd
}

func newHostsCmd(s *streams) *cobra.Command {
	var sources []string
	var limit string
	cmd := &cobra.Command{
		Use:   "hosts PATTERN",
		Short: "List the hosts that a pattern selects",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, err := readInventory(cmd.Context(), s, sources)
			if err != nil {
				return err
			}
			found, err := inv.Select(args[0])
			if err == nil && limit != "" {
				found, err = inv.Limit(found, limit)
			}
			if err != nil {
				return asUsage(err)
			}
			fmt.Fprintf(s.out, "  hosts (%d):\n", len(found))
			for _, h := range found {
				fmt.Fprintf(s.out, "    %s\n", h.Name)
			}
			return nil
		},
	}
	addInventoryFlag(cmd, s, &sources)
	cmd.Flags().StringVarP(&limit, "limit", "l", "", "only hosts that this `pattern` matches, too")
	return cmd
}

// readInventory reads an inventory that must be without a mistake.
func readInventory(ctx context.Context, s *streams, sources []string) (*inventory.Inventory, error) {
	inv, err := loadInventory(ctx, sources, func(text string) { fmt.Fprintf(s.err, "[WARNING]: %s\n", text) })
	if err != nil {
		return nil, err
	}
	return inv, nil
}

func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err: err}
}
