package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/torrust/runner/internal/tracker"
)

// result is what the runs of one way have shown.
type result struct {
	took  []time.Duration // of the runs that ended well
	why   string          // the last of the others did not
	whole int             // copies that are a state that the database had
	size  int64           // of the last compressed copy
}

// compare measures every way under one condition and prints what it found.
func (b *bench) compare(ctx context.Context, condition string, writes bool) error {
	all := ways()
	results := make([]result, len(all))
	for run := range b.o.runs {
		for i := range all { // in turn, so that none is always the first
			at := (run + i) % len(all)
			if err := b.once(ctx, all[at], writes, &results[at]); err != nil {
				return err
			}
		}
	}
	fmt.Printf("\n%s:\n", condition)
	for i, r := range results {
		b.print(all[i].name, r, results[0])
	}
	return nil
}

// once runs a way, next to a tracker if there is to be one, and judges what it
// brought home.
func (b *bench) once(ctx context.Context, w way, writes bool, r *result) (err error) {
	out, err := os.MkdirTemp(b.dir, "controller-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(out)) }()
	track, err := tracker.Start(ctx, []string{b.o.runner, "simulate-tracker", "--every", b.o.every.String()}, b.database, b.ledger)
	if err != nil {
		return err
	}
	defer track.Kill()
	if !writes { // it has noted the state of the database
		if _, err := track.Stop(); err != nil {
			return err
		}
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(b.database, old, old); err != nil {
			return err
		}
	}
	path := filepath.Join(out, "copy.gz")
	took, why := b.run(ctx, w, path)
	if why != "" {
		r.why = why
		return errors.Join(ctx.Err(), b.tidy())
	}
	r.took = append(r.took, took)
	if writes {
		if _, err := track.Stop(); err != nil {
			return err
		}
	}
	l, err := tracker.ReadLedger(b.ledger)
	if err != nil {
		return err
	}
	if _, err := tracker.Judge(ctx, path, l, out); err == nil {
		r.whole++
	}
	st, err := os.Stat(path)
	if err == nil {
		r.size = st.Size()
	}
	return err
}

func (b *bench) print(name string, r, ours result) {
	if len(r.took) == 0 {
		fmt.Printf("  %-30s  none of %d runs: %s\n", name, b.o.runs, r.why)
		return
	}
	fmt.Printf("  %-30s  %6.2f s  %5.2f x the runner's time  whole %d of %d  %d MB", name, median(r.took).Seconds(),
		float64(median(r.took))/float64(median(ours.took)), r.whole, b.o.runs, r.size>>20)
	if n := b.o.runs - len(r.took); n > 0 {
		fmt.Printf("; %d of %d runs: %s", n, b.o.runs, r.why)
	}
	fmt.Println()
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(d))[len(d)/2]
}

// inGroup makes the end of a command the end of all that it has started.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
}
