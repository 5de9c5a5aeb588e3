// Package demo owns `runner demo`: three tracker hosts on this machine, each
// a real SSH server with the files of a tracker host and a database that a
// simulated tracker writes to; a backup of all of them; and a judgement of
// what was brought home that trusts nobody.
//
// It never knows how a backup is made: the run is handed to it.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Options say where a demo lives and what it uses.
type Options struct {
	Dir   string // the folder for everything; a new temporary one if empty
	Store string // where the backup sets go; Dir/backups if empty
	Port  int    // of the first host, the others follow; free ones if 0
	Keep  bool   // keep the hosts' files when the demo is over
	Out   io.Writer
	// Tracker is the command of a simulated tracker. The paths of its
	// database and of its ledger follow as arguments; see [tracker.Run].
	Tracker []string
	// Run runs a playbook as `runner run` does.
	Run func(ctx context.Context, playbook, inventory, store string) error
	// Playbook is the text of the playbook to run, PlaybookName its name.
	Playbook     []byte
	PlaybookName string
	// Program is what the person typed to start us, for the next commands.
	Program string

	torrents int // rows of each database; tracker.TorrentRows if 0
}

// hostNames are the hosts of the demo.
var hostNames = []string{"tracker-1", "tracker-2", "tracker-3"}

// Run starts the hosts, backs them up, judges the backups and says what it
// found. When it returns nothing of it runs any more. The error tells what
// went wrong first; a backup that is not what the tracker wrote is an error.
func Run(ctx context.Context, o Options) (err error) {
	began := time.Now()
	temporary := o.Dir == ""
	if o.Dir, err = makeDir(o.Dir); err != nil {
		return err
	}
	if o.Store == "" {
		o.Store = filepath.Join(o.Dir, "backups")
	}
	fmt.Fprintf(o.Out, "Starting %d tracker hosts, each with a tracker that writes to its database, in %s\n", len(hostNames), o.Dir)
	f, err := startFleet(ctx, o)
	if err != nil {
		err = errors.Join(err, f.close(o.Keep))
		if temporary { // there is nothing in it to look at
			err = errors.Join(err, os.RemoveAll(o.Dir))
		}
		return err
	}
	defer func() { err = errors.Join(err, f.close(o.Keep)) }()
	f.introduce(o.Out)

	playbook := filepath.Join(o.Dir, o.PlaybookName)
	if err := os.WriteFile(playbook, o.Playbook, 0o600); err != nil {
		return err
	}
	f.mark()
	if err := o.Run(ctx, playbook, f.inventory, o.Store); err != nil {
		return err
	}
	stats, err := f.stopTrackers()
	if err != nil {
		return err
	}
	backups, err := judgeAll(ctx, f, o)
	if err != nil {
		return err
	}
	report(o, backups, stats)
	fmt.Fprintf(o.Out, "\nAll of it took %.1f s.\n", time.Since(began).Seconds())
	return nil
}

// makeDir returns an absolute path of a folder that can be written to.
func makeDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "runner-demo-")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	probe, err := os.CreateTemp(dir, ".probe-")
	if err != nil {
		return "", fmt.Errorf("the folder of the demo cannot be written to: %w", err)
	}
	return dir, errors.Join(probe.Close(), os.Remove(probe.Name()))
}
