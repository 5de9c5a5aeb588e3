package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/tasks/all"
	"github.com/torrust/runner/internal/tasks/reference"
)

func newTasksCmd(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:     "tasks [KIND]",
		Short:   "List the task kinds, or explain one",
		Example: "  runner tasks sqlite_copy",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			kinds := all.Registry()
			if len(args) == 0 {
				for _, spec := range kinds.All() {
					fmt.Fprintf(s.out, "%-16s  %s\n", spec.Name, spec.Summary)
				}
				return nil
			}
			spec, ok := kinds.Lookup(strings.TrimPrefix(args[0], "ansible.builtin."))
			if !ok {
				var names []string
				for _, spec := range kinds.All() {
					names = append(names, spec.Name)
				}
				err := &usageError{msg: "there is no task kind " + args[0], hint: "see: runner tasks"}
				if near := diag.Suggest(args[0], names); near != "" {
					err.hint = "did you mean: " + near
				}
				return err
			}
			_, err := fmt.Fprint(s.out, reference.Kind(spec))
			return err
		},
	}
}
