package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/inventory"
	"github.com/torrust/runner/internal/redact"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
)

func newInventoryCmd(s *streams) *cobra.Command {
	var from inventoryFlags
	var list, graph, export, asYAML bool
	var host string
	cmd := &cobra.Command{
		Use:   "inventory",
		Short: "Show what an inventory says, as ansible-inventory does",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inv, err := readInventory(cmd.Context(), s, &from)
			switch {
			case err != nil:
				return err
			case host != "":
				values, err := inv.HostVars(host)
				if err != nil {
					return asUsage(err)
				}
				return write(s.out, values, asYAML)
			case graph:
				return inv.WriteGraph(s.out)
			case list && export:
				return write(s.out, inv.Export(), asYAML)
			case list:
				return write(s.out, inv.List(), asYAML)
			}
			return &usageError{msg: "nothing was asked for", hint: "give one of --list, --graph, --host NAME"}
		},
	}
	from.add(cmd, s)
	from.addPlaybookDir(cmd)
	f := cmd.Flags()
	f.BoolVar(&list, "list", false, "everything, as JSON")
	f.BoolVar(&export, "export", false, "with --list: each variable where it is set")
	f.BoolVar(&graph, "graph", false, "the groups as a tree")
	f.StringVar(&host, "host", "", "the variables of the host `NAME`, as JSON")
	f.BoolVarP(&asYAML, "yaml", "y", false, "YAML in place of JSON")
	return cmd
}

func write(w io.Writer, v any, asYAML bool) error {
	if asYAML {
		return strictyaml.Write(w, v)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "    ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func newExplainCmd(s *streams) *cobra.Command {
	var from inventoryFlags
	var extra []string
	cmd := &cobra.Command{
		Use:   "explain HOST VARIABLE",
		Short: "Tell where the value of a variable comes from, and what it hides",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, err := readInventory(cmd.Context(), s, &from)
			if err != nil {
				return err
			}
			given, err := extraVars(extra, inv.ReadVars)
			if err != nil {
				return asUsage(err)
			}
			h, ok := inv.Host(args[0])
			if !ok {
				return usagef("there is no host %s in the inventory", args[0])
			}
			return explain(s.out, args[1], h.Layers().With(given))
		},
	}
	from.add(cmd, s)
	from.addPlaybookDir(cmd)
	cmd.Flags().StringArrayVarP(&extra, "extra-vars", "e", nil, "`variables`: name=value, YAML or JSON in braces, or @FILE")
	return cmd
}

// explain tells which layers set a variable, the winner first.
func explain(w io.Writer, name string, stack vars.Stack) error {
	origins := stack.Explain(name)
	if len(origins) == 0 {
		err := usagef("nothing sets %s for that host", name)
		if near := diag.Suggest(name, stack.Names()); near != "" {
			err.hint = "did you mean: " + near
		}
		return err
	}
	for i, o := range origins {
		value, err := json.Marshal(o.Value)
		if err != nil {
			return err
		}
		at := o.Pos.String()
		if at == "" {
			at = o.Source
		}
		what := "hides"
		if i == 0 {
			what = name + " ="
		}
		fmt.Fprintf(w, "%s %s\n  %s, %s\n", what, value, o.Level, at)
	}
	return nil
}

func newHostsCmd(s *streams) *cobra.Command {
	var from inventoryFlags
	var limit string
	cmd := &cobra.Command{
		Use:   "hosts PATTERN",
		Short: "List the hosts that a pattern selects",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, err := readInventory(cmd.Context(), s, &from)
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
	from.add(cmd, s)
	cmd.Flags().StringVarP(&limit, "limit", "l", "", "only hosts that this `pattern` matches, too")
	return cmd
}

// readInventory reads an inventory that must be without a mistake.
func readInventory(ctx context.Context, s *streams, from *inventoryFlags) (*inventory.Inventory, error) {
	ask := newSecrets(s, new(redact.Set))
	inv, err := from.load(ctx, ask, func(text string) { fmt.Fprintf(s.err, "[WARNING]: %s\n", text) })
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
