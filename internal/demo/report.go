package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn/shell"
	"github.com/torrust/runner/internal/tracker"
)

// databaseKind is the task kind whose artifact is the tracker's database.
const databaseKind = "sqlite_copy"

// backup is what a host's new backup set turned out to be.
type backup struct {
	host     string
	set      catalog.Entry
	artifact catalog.Artifact // the database's
	verdict  tracker.Verdict
}

// judgeAll judges the newest set of every host, all at once.
func judgeAll(ctx context.Context, f *fleet, o Options) ([]backup, error) {
	store, err := catalog.Open(o.Store)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	fmt.Fprintln(o.Out, "Restoring the databases and comparing them with what the trackers wrote …")
	backups := make([]backup, len(f.hosts))
	g, ctx := errgroup.WithContext(ctx)
	for i, h := range f.hosts {
		g.Go(func() error {
			var err error
			if backups[i], err = judgeHost(ctx, store, h, o.Dir); err != nil {
				return fmt.Errorf("the backup of %s is not what its tracker wrote: %w", h.name, err)
			}
			return nil
		})
	}
	return backups, g.Wait()
}

func judgeHost(ctx context.Context, store *catalog.Store, h *host, tmp string) (backup, error) {
	b := backup{host: h.name}
	var err error
	if b.set, err = store.Load(h.name, "latest"); err == nil {
		err = b.set.Err
	}
	if err != nil {
		return b, err
	}
	artifacts := b.set.Manifest.Artifacts
	i := slices.IndexFunc(artifacts, func(a catalog.Artifact) bool { return a.Kind == databaseKind })
	if i < 0 {
		return b, errors.New("there is no database in it")
	}
	b.artifact = artifacts[i]
	l, err := tracker.ReadLedger(h.ledger)
	if err != nil {
		return b, err
	}
	b.verdict, err = tracker.Judge(ctx, filepath.Join(b.set.Path, b.artifact.Name), l, tmp)
	return b, err
}

// report says what the judgement found, and what to try next.
func report(o Options, backups []backup, stats map[string]tracker.Stats) {
	for _, b := range backups {
		s := stats[b.host]
		fmt.Fprintf(o.Out, "  %s  integrity_check ok; exactly the state after download %d of this tracker\n", b.host, b.verdict.Writes)
		fmt.Fprintf(o.Out, "  %*s  %s; its tracker made %d writes meanwhile; %d were refused, the longest took %.0f ms\n",
			len(b.host), "", lockText(b.artifact), s.Writes, s.Busy, s.LongestStall)
	}
	program := cmp.Or(o.Program, "runner")
	fmt.Fprintf(o.Out, "\nLook at a backup:\n  %s backups list --store %s\n", program, shell.Quote(o.Store))
	fmt.Fprintf(o.Out, "Back up your own hosts:\n  %s run playbooks/%s -i inventory.yml\n", program, o.PlaybookName)
	fmt.Fprintf(o.Out, "Remove the demo:\n  rm -r %s\n", shell.Quote(o.Dir))
}

// lockText says how long the copy kept the database's writers waiting.
func lockText(a catalog.Artifact) string {
	ms, ok := a.Details["lock_held_ms"].(float64) // as JSON has it
	if !ok {
		return "database copied"
	}
	return fmt.Sprintf("database locked for %.0f ms", ms)
}
