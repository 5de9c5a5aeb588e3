package cli

import (
	"github.com/spf13/cobra"
)

// defaultForks is how many hosts are worked on at once: a fork is a goroutine
// here, and costs next to nothing.
const defaultForks = 50

// runFlags are the flags of `runner run`.
type runFlags struct {
	inventory      inventoryFlags
	limit          string
	allowEmpty     bool
	extra          []string
	forks          int
	check, diff    bool
	tags, skipTags []string
	startAt        string
	forceHandlers  bool
	store          string
	list           listFlags
	login          loginFlags
	output         outputFlags
}

// listFlags ask to be told what would be run, and to run nothing.
type listFlags struct{ hosts, tasks, tags, syntax bool }

func (l listFlags) any() bool { return l.hosts || l.tasks || l.tags || l.syntax }

func newRunCmd(s *streams) *cobra.Command {
	var r runFlags
	cmd := &cobra.Command{
		Use:   "run PLAYBOOK…",
		Short: "Run playbooks on the hosts of an inventory",
		Long: `Runs playbooks, in the order given. Everything in them that is wrong is shown
before the first connection is made.`,
		Example: `  runner run playbooks/backup-sqlite.yml -i inventory.yml
  runner run site.yml -i production/ -l 'trackers:!tracker-3' --check --diff`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd.Context(), s, args)
		},
	}
	r.inventory.add(cmd, s)
	f := cmd.Flags()
	f.StringVarP(&r.limit, "limit", "l", "", "only hosts that this `pattern` matches, too")
	f.BoolVar(&r.allowEmpty, "allow-empty", false, "let a play whose pattern matches no host pass")
	f.StringArrayVarP(&r.extra, "extra-vars", "e", nil, "`variables`: name=value, YAML or JSON in braces, or @FILE")
	f.IntVarP(&r.forks, "forks", "f", defaultForks, "`number` of hosts to work on at once")
	f.BoolVarP(&r.check, "check", "C", false, "change nothing, tell what would be done")
	f.BoolVarP(&r.diff, "diff", "D", false, "show the differences of files that are changed")
	f.StringSliceVarP(&r.tags, "tags", "t", nil, "only tasks with one of these `tags`")
	f.StringSliceVar(&r.skipTags, "skip-tags", nil, "no tasks with one of these `tags`")
	f.StringVar(&r.startAt, "start-at-task", "", "begin at the first task whose `name` is this, or matches this glob")
	f.BoolVar(&r.forceHandlers, "force-handlers", false, "run handlers even on hosts where a task failed")
	f.BoolVar(&r.list.hosts, "list-hosts", false, "list the hosts of each play, run nothing")
	f.BoolVar(&r.list.tasks, "list-tasks", false, "list the tasks, run nothing")
	f.BoolVar(&r.list.tags, "list-tags", false, "list the tags, run nothing")
	f.BoolVar(&r.list.syntax, "syntax-check", false, "only look for mistakes, run nothing")
	addStoreFlag(cmd, s, &r.store)
	r.login.add(cmd)
	r.output.add(cmd)
	return cmd
}
