package conn

import (
	"net"
	"strconv"
	"time"
)

// HostKeyPolicy says what to do about a host key that known_hosts lacks. A
// key that differs from the known one is refused under every policy but
// HostKeyInsecure.
type HostKeyPolicy string

// The policies, by the values of OpenSSH's StrictHostKeyChecking.
const (
	HostKeyStrict    HostKeyPolicy = "yes" // the default
	HostKeyAcceptNew HostKeyPolicy = "accept-new"
	HostKeyInsecure  HostKeyPolicy = "no"
)

// Target is where and how to connect. The zero value of a field means "not
// given": ssh_config and then the defaults decide.
type Target struct {
	Name       string // the inventory's name, for messages and ssh_config
	Connection string // "ssh" or "local"

	Host     string // name or address
	Port     int
	User     string
	Password string

	KeyFiles      []string // private keys; if given, tried before any other
	KeyPassphrase func(file string) (string, error)

	HostKeyPolicy  HostKeyPolicy
	KnownHosts     []string // files
	Fingerprint    string   // pinned host key, SHA256:…; overrides known_hosts
	ConnectTimeout time.Duration
	Options        []Option // from ansible_ssh_common_args and the like, parsed
	Shell          string   // the host's POSIX shell, "/bin/sh" if empty
	RemoteTmp      string   // where temporary files go on the host

	Become Become // default for tasks that say become without more
}

// Option is one ssh_config option given on a command line: -o Name=Value.
type Option struct{ Name, Value string }

// Addr returns host:port for messages.
func (t Target) Addr() string {
	if t.Connection == "local" {
		return "local"
	}
	host, port := t.Host, t.Port
	if host == "" {
		host = t.Name
	}
	if port == 0 {
		port = 22
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
