package sshconn

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"github.com/torrust/runner/internal/conn"
)

// hostKeyError is a host key that is not accepted.
type hostKeyError struct {
	msg  string
	hint string
}

func (e *hostKeyError) Error() string { return e.msg }

// hostKeys judges the key of one host.
type hostKeys struct {
	d    *Dialer
	s    *settings
	db   *knownhosts.HostKeyDB // nil without a file
	seen string                // fingerprint of the key that the host has shown
}

func (d *Dialer) hostKeysOf(s *settings) (*hostKeys, error) {
	h := &hostKeys{d: d, s: s}
	var files []string
	for _, f := range s.knownHosts {
		if _, err := os.Stat(f); err == nil {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return h, nil
	}
	var err error
	if h.db, err = knownhosts.NewDB(files...); err != nil {
		return nil, fmt.Errorf("known_hosts: %w", err)
	}
	return h, nil
}

// address is how known_hosts names the host.
func (h *hostKeys) address() string {
	if h.s.hostAlias != "" {
		return net.JoinHostPort(h.s.hostAlias, "22")
	}
	return net.JoinHostPort(h.s.host, strconv.Itoa(h.s.port))
}

// algorithms are those of the keys that are known, so that the host shows one
// of them; nil means any.
func (h *hostKeys) algorithms() []string {
	if h.db == nil || h.s.fingerprint != "" {
		return nil
	}
	return h.db.HostKeyAlgorithms(h.address())
}

// check is an ssh.HostKeyCallback.
func (h *hostKeys) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	h.seen = ssh.FingerprintSHA256(key)
	if want := h.s.fingerprint; want != "" {
		if h.seen != want {
			return &hostKeyError{
				fmt.Sprintf("the host has the key %s, but %s is pinned", h.seen, want),
				"find out whether the host was set up anew; if so, pin its new key",
			}
		}
		return nil
	}
	if h.s.policy == conn.HostKeyInsecure {
		return nil
	}
	if h.db == nil {
		return h.unknown(key)
	}
	err := h.db.HostKeyCallback()(h.address(), remote, key)
	switch {
	case err == nil:
		return nil
	case knownhosts.IsHostUnknown(err):
		return h.unknown(key)
	case knownhosts.IsHostKeyChanged(err):
		return h.changed(err)
	}
	if revoked, ok := errors.AsType[*xknownhosts.RevokedError](err); ok {
		return &hostKeyError{
			fmt.Sprintf("its key %s is revoked by %s:%d", h.seen, revoked.Revoked.Filename, revoked.Revoked.Line),
			"do not connect to it before whoever revoked the key has told why",
		}
	}
	return err
}

func (h *hostKeys) changed(err error) error {
	known := []string{}
	if k, ok := errors.AsType[*xknownhosts.KeyError](err); ok {
		for _, w := range k.Want {
			known = append(known, fmt.Sprintf("%s (%s:%d)", ssh.FingerprintSHA256(w.Key), w.Filename, w.Line))
		}
	}
	return &hostKeyError{
		fmt.Sprintf("its key has changed: it shows %s, known is %s", h.seen, strings.Join(known, ", ")),
		"either the host was set up anew, or somebody is between you and it.\n" +
			"Compare the new key with the host's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n" +
			"If it is right, remove the old one: ssh-keygen -R '" + xknownhosts.Normalize(h.address()) + "'",
	}
}

// unknown accepts a key that nobody knows if the policy says so, and writes it
// down.
func (h *hostKeys) unknown(key ssh.PublicKey) error {
	name := xknownhosts.Normalize(h.address())
	if h.s.policy != conn.HostKeyAcceptNew {
		return &hostKeyError{
			"its key is not in known_hosts: " + h.seen + " (" + key.Type() + ")",
			"compare it with the host's console, then: ssh-keyscan -p " + strconv.Itoa(h.s.port) + " " + h.s.host + " >> " + h.s.knownHosts[0] + "\n" +
				"To accept keys that are new and remember them: ansible_ssh_common_args: -o StrictHostKeyChecking=accept-new",
		}
	}
	h.d.hosts.Lock()
	defer h.d.hosts.Unlock()
	return remember(h.s.knownHosts[0], xknownhosts.Line([]string{name}, key))
}

// remember appends a line to known_hosts. One write with O_APPEND is not torn
// apart by another process that does the same.
func remember(path, line string) (err error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("remember the host's key: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.WriteString(line + "\n")
	return err
}
