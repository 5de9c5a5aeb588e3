package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/torrust/runner/internal/conn/sshserver"
	"github.com/torrust/runner/internal/tracker"
)

// fleet is the hosts of a demo while they run.
type fleet struct {
	dir       string
	inventory string // path
	hosts     []*host
}

// host is one of them: a server, and a tracker that writes to a database.
type host struct {
	name     string
	root     string // its home
	database string
	ledger   string
	server   *sshserver.Server
	tracker  *tracker.Process
}

// torrust is the host's /opt/torrust.
func (h *host) torrust() string { return filepath.Join(h.root, "opt/torrust") }

// startFleet starts the hosts. If it fails, what there is of the fleet must
// still be closed.
func startFleet(ctx context.Context, o Options) (*fleet, error) {
	f := &fleet{dir: o.Dir, inventory: filepath.Join(o.Dir, "inventory.yml")}
	if err := os.RemoveAll(f.hostsDir()); err != nil { // of a demo that was killed
		return f, err
	}
	if err := f.startServers(ctx, o.Port); err != nil {
		return f, err
	}
	if err := f.makeDatabases(ctx, cmp.Or(o.torrents, tracker.TorrentRows)); err != nil {
		return f, err
	}
	for _, h := range f.hosts {
		var err error
		if h.tracker, err = tracker.Start(ctx, o.Tracker, h.database, h.ledger); err != nil {
			return f, err
		}
	}
	return f, f.writeInventory()
}

func (f *fleet) hostsDir() string   { return filepath.Join(f.dir, "hosts") }
func (f *fleet) keyFile() string    { return filepath.Join(f.dir, "id_ed25519") }
func (f *fleet) knownHosts() string { return filepath.Join(f.dir, "known_hosts") }

func (f *fleet) startServers(ctx context.Context, port int) error {
	key, err := sshserver.WriteKey(f.keyFile())
	if err != nil {
		return err
	}
	for i, name := range hostNames {
		root := filepath.Join(f.hostsDir(), name)
		h := &host{name: name, root: root, ledger: filepath.Join(f.hostsDir(), name+".ledger")}
		h.database = filepath.Join(h.torrust(), tracker.DatabasePath)
		if err := tracker.WriteLayout(h.torrust(), name); err != nil {
			return err
		}
		listen := "127.0.0.1:0"
		if port != 0 {
			listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(port+i))
		}
		if h.server, err = sshserver.Start(ctx, sshserver.Config{Listen: listen, Root: root, AuthorizedKeys: key}); err != nil {
			return fmt.Errorf("start the host %s: %w", name, err)
		}
		f.hosts = append(f.hosts, h)
	}
	return nil
}

// makeDatabases makes one database and copies it, since all begin alike.
func (f *fleet) makeDatabases(ctx context.Context, torrents int) error {
	first := f.hosts[0].database
	if err := tracker.MakeDatabase(ctx, first, torrents); err != nil {
		return err
	}
	var g errgroup.Group
	for _, h := range f.hosts[1:] {
		g.Go(func() error { return copyFile(first, h.database) })
	}
	return g.Wait()
}

func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o660)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = io.Copy(dst, src)
	return err
}

// writeInventory writes what a person would write for these hosts, and the
// keys of the hosts where ssh looks for them.
func (f *fleet) writeInventory() error {
	var known, hosts strings.Builder
	for _, h := range f.hosts {
		known.WriteString(h.server.KnownHostsLine())
		fmt.Fprintf(&hosts, "    %s:\n      ansible_port: %d\n      torrust_root: %s\n", h.name, h.server.Port(), quote(h.torrust()))
	}
	if err := os.WriteFile(f.knownHosts(), []byte(known.String()), 0o600); err != nil {
		return err
	}
	text := "# Three tracker hosts on this machine, made by runner demo.\n" +
		"trackers:\n  hosts:\n" + hosts.String() +
		"  vars:\n" +
		"    ansible_host: 127.0.0.1\n" +
		"    ansible_user: torrust\n" +
		"    ansible_ssh_private_key_file: " + quote(f.keyFile()) + "\n" +
		"    ansible_ssh_common_args: " + quote(`-o UserKnownHostsFile="`+f.knownHosts()+`"`) + "\n"
	return os.WriteFile(f.inventory, []byte(text), 0o600)
}

// quote returns s as a YAML scalar.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// introduce says which hosts there are.
func (f *fleet) introduce(w io.Writer) {
	for _, h := range f.hosts {
		size := "?"
		if st, err := os.Stat(h.database); err == nil {
			size = fmt.Sprintf("%d MB", st.Size()/1e6)
		}
		fmt.Fprintf(w, "  %s  %s  host key %s  database of %s\n", h.name, h.server.Addr(), h.server.Fingerprint(), size)
	}
}

// mark starts the statistics of every tracker anew.
func (f *fleet) mark() {
	for _, h := range f.hosts {
		h.tracker.Mark()
	}
}

// stopTrackers ends the trackers and returns what each has seen, by host.
func (f *fleet) stopTrackers() (map[string]tracker.Stats, error) {
	out := map[string]tracker.Stats{}
	for _, h := range f.hosts {
		s, err := h.tracker.Stop()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.name, err)
		}
		out[h.name] = s
	}
	return out, nil
}

// close ends everything that runs, and removes the hosts' files unless they
// are to be kept.
func (f *fleet) close(keep bool) error {
	var errs []error
	for _, h := range f.hosts {
		if h.tracker != nil {
			h.tracker.Kill()
		}
		errs = append(errs, h.server.Close())
	}
	if !keep {
		errs = append(errs, os.RemoveAll(f.hostsDir()), os.Remove(f.keyFile()))
	}
	return errors.Join(errs...)
}
