// Command inventory measures how long the runner and Ansible take to load an
// inventory of 10,000 hosts in 100 groups with a file of variables for each
// host, side by side in one run, and how much memory that takes.
//
// It prints medians and ratios. See docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	runner := flag.String("runner", "bin/runner", "the runner to measure")
	hosts := flag.Int("hosts", 10_000, "hosts")
	groups := flag.Int("groups", 100, "groups")
	runs := flag.Int("runs", 3, "how often each is measured")
	flag.Parse()
	if err := measure(context.Background(), *runner, *hosts, *groups, *runs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, runner string, hosts, groups, runs int) (err error) {
	dir, err := os.MkdirTemp("", "runner-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	inventory := filepath.Join(dir, "hosts.yml")
	if err := write(inventory, hosts, groups); err != nil {
		return err
	}
	fmt.Printf("%d hosts in %d groups, a file of variables for each host, %d runs in turn; medians.\n\n", hosts, groups, runs)
	for _, task := range []struct{ what, ours, theirs string }{
		{"list everything", runner + " inventory --list -i " + inventory, "ansible-inventory --list -i " + inventory},
		{"select hosts", runner + " hosts 'group-7*:!*5' -i " + inventory, "ansible 'group-7*:!*5' --list-hosts -i " + inventory},
	} {
		var ours, theirs []sample
		for range runs {
			for command, to := range map[string]*[]sample{task.ours: &ours, task.theirs: &theirs} {
				s, err := run(ctx, command)
				if err != nil {
					return err
				}
				*to = append(*to, s)
			}
		}
		a, b := median(ours), median(theirs)
		fmt.Printf("%-16s  runner %6.2f s, %4d MB   Ansible %6.2f s, %4d MB   %.0f times as long\n",
			task.what, a.took.Seconds(), a.rss>>10, b.took.Seconds(), b.rss>>10, b.took.Seconds()/a.took.Seconds())
	}
	return nil
}

func write(path string, hosts, groups int) error {
	var b strings.Builder
	b.WriteString("all:\n  children:\n")
	dir := filepath.Join(filepath.Dir(path), "host_vars")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for g := range groups {
		fmt.Fprintf(&b, "    group-%d:\n      vars: {group_number: %d}\n      hosts:\n", g, g)
		for h := g; h < hosts; h += groups {
			fmt.Fprintf(&b, "        host-%d: {ansible_host: 10.%d.%d.%d}\n", h, h>>16, h>>8&255, h&255)
			text := fmt.Sprintf("number: %d\nnames: [a, b, c]\nnested: {key: value}\n", h)
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("host-%d.yml", h)), []byte(text), 0o600); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

type sample struct {
	took time.Duration
	rss  int64 // kB, at most
}

// run runs a command below a small shell: the memory that getrusage(2) tells
// would be ours otherwise, if that is more.
func run(ctx context.Context, command string) (sample, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command+" >/dev/null; exit $?")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	s := sample{took: time.Since(began)}
	if err != nil {
		return s, fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.rss = usage.Maxrss
	}
	return s, nil
}

func median(list []sample) sample {
	slices.SortFunc(list, func(a, b sample) int { return int(a.took - b.took) })
	return list[len(list)/2]
}
