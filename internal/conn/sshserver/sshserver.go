// Package sshserver owns an SSH and SFTP server within this process: real
// handshakes, real processes, real files. `runner demo` makes its hosts of it,
// and tests their hosts and their faults.
//
// It never knows what a client of it is for. It is no server for the open
// network: whoever logs in acts as the user of this process.
package sshserver

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Config says what a server is to be like.
type Config struct {
	Listen         string // address; "127.0.0.1:0" if empty
	Root           string // the login directory of everybody
	AuthorizedKeys []byte // lines of an authorized_keys file; options are not honoured

	HostKeys []ssh.Signer // a new ed25519 key if empty
	Faults   Faults
	// Configure may change how the server authenticates; see
	// [ssh.ServerConfig]. It is called once, before the server listens.
	Configure func(*ssh.ServerConfig)
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	root     string
	faults   Faults
	ssh      *ssh.ServerConfig
	hostKey  ssh.PublicKey
	listener net.Listener

	running sync.WaitGroup  // every goroutine
	ctx     context.Context // of all processes; ends with Close
	cancel  context.CancelFunc

	mu     sync.Mutex
	links  map[*link]struct{} // open connections
	closed bool
}

// Start starts a server. It listens when Start returns, and serves until
// Close; ctx bounds the start only.
func Start(ctx context.Context, c Config) (*Server, error) {
	root, err := filepath.Abs(c.Root)
	if err != nil {
		return nil, fmt.Errorf("login directory: %w", err)
	}
	if st, err := os.Stat(root); err != nil {
		return nil, fmt.Errorf("login directory: %w", err)
	} else if !st.IsDir() {
		return nil, fmt.Errorf("login directory %s is not a directory", root)
	}
	s := &Server{root: root, faults: c.Faults, links: map[*link]struct{}{}}
	if s.ssh, err = serverConfig(c); err != nil {
		return nil, err
	}
	keys := c.HostKeys
	if len(keys) == 0 {
		key, err := newSigner()
		if err != nil {
			return nil, err
		}
		keys = []ssh.Signer{key}
	}
	for _, k := range keys {
		s.ssh.AddHostKey(k)
	}
	s.hostKey = keys[0].PublicKey()
	if s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(c.Listen, "127.0.0.1:0")); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.running.Go(s.accept)
	return s, nil
}

func serverConfig(c Config) (*ssh.ServerConfig, error) {
	allowed := map[string]bool{}
	for rest := bytes.TrimSpace(c.AuthorizedKeys); len(rest) > 0; {
		key, _, _, more, err := ssh.ParseAuthorizedKey(rest)
		if err != nil {
			return nil, fmt.Errorf("authorized keys: %w", err)
		}
		allowed[string(key.Marshal())] = true
		rest = bytes.TrimSpace(more)
	}
	config := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-runner",
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if !allowed[string(key.Marshal())] {
				return nil, errors.New("key not authorized")
			}
			return nil, nil
		},
	}
	if c.Configure != nil {
		c.Configure(config)
	}
	return config, nil
}

// accept serves connections until the listener is closed.
func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		l := newLink(c, s.faults)
		if !s.add(l) {
			_ = l.Close()
			return
		}
		s.running.Go(func() {
			s.serve(l)
			s.remove(l)
		})
	}
}

func (s *Server) add(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.links[l] = struct{}{}
	return true
}

func (s *Server) remove(l *link) {
	_ = l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, l)
}

// each calls f for every open connection.
func (s *Server) each(f func(*link)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.links {
		f(l)
	}
}

// Addr is the address that the server listens on, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the TCP port that the server listens on.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// HostKey is the first host key.
func (s *Server) HostKey() ssh.PublicKey { return s.hostKey }

// Fingerprint is that of the first host key, as SHA256:….
func (s *Server) Fingerprint() string { return ssh.FingerprintSHA256(s.hostKey) }

// KnownHostsLine is the line of a known_hosts file, with its newline, that
// makes a client trust the server.
func (s *Server) KnownHostsLine() string {
	return knownhosts.Line([]string{s.Addr()}, s.hostKey) + "\n"
}

// Close ends every connection and kills the process group of every command
// that still runs. When it returns, no goroutine of the server is left. It may
// be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	var err error
	if first {
		err = s.listener.Close()
	}
	s.cancel()
	s.each(func(l *link) { _ = l.Close() })
	s.running.Wait()
	return err
}
