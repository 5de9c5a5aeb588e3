package sshconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/torrust/runner/internal/conn"
)

// maxJumps bounds a chain of jump hosts.
const maxJumps = 8

// connect makes an authenticated connection, through jump hosts if there are
// any. release must be called when the client is closed.
func (d *Dialer) connect(ctx context.Context, t conn.Target, s *settings, depth int) (c *ssh.Client, release func(), fingerprint string, err error) {
	fail := func(stage conn.Stage, err error, hint string) error {
		if cause := context.Cause(ctx); cause != nil && ctx.Err() != nil {
			err = cause
		}
		return &conn.DialError{Target: t, Stage: stage, Err: err, Hint: hint}
	}
	release = func() {}
	creds, err := d.credentials(ctx, s)
	if err != nil {
		return nil, release, "", &conn.DialError{Target: t, Stage: conn.StageConfig, Err: err, Hint: hintOf(err)}
	}
	defer creds.close()
	keys, err := d.hostKeysOf(s)
	if err != nil {
		return nil, release, "", fail(conn.StageHostKey, err, "mend that line, or name another file with UserKnownHostsFile")
	}
	link, release, err := d.link(ctx, t, s, depth)
	if err != nil {
		return nil, func() {}, "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = link.Close() })
	authenticating := false
	config := &ssh.ClientConfig{
		User: s.user, Auth: creds.methods, HostKeyAlgorithms: keys.algorithms(),
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			err := keys.check(name, remote, key)
			authenticating = err == nil
			return err
		},
	}
	sc, channels, requests, err := ssh.NewClientConn(link, t.Addr(), config)
	if !stop() && err == nil {
		err = context.Cause(ctx) // too late: the link is closed already
	}
	if err != nil {
		_ = link.Close()
		release()
		stage, hint, cause := explain(err, authenticating, creds, s)
		return nil, func() {}, keys.seen, fail(stage, cause, hint)
	}
	return ssh.NewClient(sc, channels, requests), release, keys.seen, nil
}

// explain says at which stage a handshake has failed, and why.
func explain(err error, authenticating bool, creds *credentials, s *settings) (stage conn.Stage, hint string, cause error) {
	if h, ok := errors.AsType[*hostKeyError](err); ok {
		return conn.StageHostKey, h.hint, h
	}
	// x/crypto has no type for this; the text is pinned by a test.
	if strings.Contains(err.Error(), "unable to authenticate") {
		tried := strings.Join(creds.tried, ", ")
		if len(creds.methods) == 0 {
			return conn.StageAuth, "name a key with ansible_ssh_private_key_file or --private-key, start an agent, or ask for a password with -k",
				fmt.Errorf("there is nothing to log in with as %s: %s", s.user, orNothing(tried))
		}
		return conn.StageAuth, "is the user right (ansible_user), and is the public key in its ~/.ssh/authorized_keys? Try: ssh " + s.user + "@" + s.host,
			fmt.Errorf("the host does not let %s in; tried: %s", s.user, tried)
	}
	stage, hint = conn.StageHandshake, "is it an SSH server that listens there?"
	if authenticating {
		stage, hint = conn.StageAuth, "the host closed the connection during the login; its log says why: journalctl -u ssh"
	}
	return stage, hint, errors.New(strings.TrimPrefix(err.Error(), "ssh: handshake failed: "))
}

func orNothing(s string) string {
	if s == "" {
		return "no key was found"
	}
	return s
}

// link makes the connection that SSH runs over: TCP, or a channel of a jump
// host.
func (d *Dialer) link(ctx context.Context, t conn.Target, s *settings, depth int) (net.Conn, func(), error) {
	if s.jump == "" {
		c, err := d.tcp(ctx, t)
		return c, func() {}, err
	}
	first, rest := cutLast(s.jump)
	client, release, err := d.jump(ctx, t, first, rest, depth)
	if err != nil {
		return nil, nil, err
	}
	c, err := client.DialContext(ctx, "tcp", t.Addr())
	if err != nil {
		release()
		return nil, nil, &conn.DialError{Target: t, Stage: conn.StageConnect, Err: fmt.Errorf("through %s: %w", first, causeOf(ctx, err)),
			Hint: "can the jump host reach it, and does it allow forwarding (AllowTcpForwarding)?"}
	}
	return c, release, nil
}

// cutLast takes the last host off a chain: the one next to the target.
func cutLast(chain string) (last, before string) {
	if i := strings.LastIndexByte(chain, ','); i >= 0 {
		return strings.TrimSpace(chain[i+1:]), chain[:i]
	}
	return strings.TrimSpace(chain), ""
}

func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (d *Dialer) tcp(ctx context.Context, t conn.Target) (net.Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", t.Addr())
	if err == nil {
		return c, nil
	}
	e := &conn.DialError{Target: t, Stage: conn.StageConnect, Err: causeOf(ctx, err)}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		e.Stage, e.Err = conn.StageResolve, errors.New("there is no host "+dns.Name+" ("+dns.Err+")")
		e.Hint = "correct ansible_host, or the name in the inventory"
		return nil, e
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && ctx.Err() == nil {
		e.Err = op.Err
		if sys, ok := errors.AsType[syscall.Errno](op.Err); ok {
			e.Err = sys
		}
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Hint = fmt.Sprintf("nothing listens on port %d there: is sshd running, and is ansible_port right?", t.Port)
	case ctx.Err() != nil:
		e.Hint = "is the host up, and does a firewall let you through? --timeout gives it more time"
	default:
		e.Hint = "is the host up, and is there a route to it?"
	}
	return nil, e
}

// jump is a shared connection to a jump host.
type jump struct {
	mu      sync.Mutex
	client  *ssh.Client // nil before the first use, and after its loss
	release func()
}

// jump returns the connection to a jump host, which may itself be reached
// through those before it.
func (d *Dialer) jump(ctx context.Context, t conn.Target, host, before string, depth int) (*ssh.Client, func(), error) {
	fail := func(err error) error {
		hint := hintOf(err)
		if inner, ok := errors.AsType[*conn.DialError](err); ok {
			hint = inner.Hint
		}
		return &conn.DialError{Target: t, Stage: conn.StageJump, Err: fmt.Errorf("%s: %w", host, err), Hint: hint}
	}
	if depth >= maxJumps {
		return nil, nil, fail(fmt.Errorf("more than %d jump hosts, one after the other: do they lead in a circle?", maxJumps))
	}
	to := conn.Target{Name: host, Host: host, KeyPassphrase: t.KeyPassphrase}
	if user, rest, ok := strings.Cut(host, "@"); ok {
		to.User, to.Host, to.Name = user, rest, rest
	}
	if name, port, err := net.SplitHostPort(to.Host); err == nil {
		to.Host, to.Name = name, name
		if _, err := fmt.Sscan(port, &to.Port); err != nil {
			return nil, nil, fail(fmt.Errorf("%q is not a port", port))
		}
	}
	if len(t.KnownHosts) > 0 {
		to.KnownHosts = t.KnownHosts
	}
	for _, o := range t.Options { // as ssh -J does, but not the jump itself
		switch strings.ToLower(o.Name) {
		case "userknownhostsfile", "stricthostkeychecking", "identityfile":
			to.Options = append(to.Options, o)
		}
	}
	to.KeyFiles = t.KeyFiles
	s, err := d.settings(to)
	if err != nil {
		return nil, nil, fail(err)
	}
	if before != "" {
		s.jump = before
	}
	to.Host, to.Port, to.User = s.host, s.port, s.user

	d.mu.Lock()
	key := before + ">" + s.user + "@" + to.Addr()
	j := d.jumps[key]
	if j == nil {
		j = &jump{}
		d.jumps[key] = j
	}
	d.mu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.client == nil {
		client, release, _, err := d.connect(ctx, to, s, depth+1)
		if err != nil {
			return nil, nil, fail(err)
		}
		j.client, j.release = client, release
		go j.watch(client) // ends with the client, which Close closes
		go keepAlive(client, s)
	}
	return j.client, func() {}, nil
}

// watch forgets a connection that has ended, so that the next use opens a new
// one.
func (j *jump) watch(client *ssh.Client) {
	_ = client.Wait() // why it ended does not matter any more
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.client == client {
		j.client = nil
		j.release()
	}
}

// keepAlive asks the host for a sign of life, and closes a connection that
// gives none: what waits on it learns that it is lost. It returns when the
// connection has ended.
func keepAlive(client *ssh.Client, s *settings) {
	if s.keepalive <= 0 {
		return
	}
	tick := time.NewTicker(s.keepalive)
	defer tick.Stop()
	answers := make(chan error, s.alive+1)
	over := make(chan struct{})
	go func() {
		_ = client.Wait()
		close(over)
	}()
	missing := 0
	for {
		select {
		case <-over:
			return
		case <-answers:
			missing = 0
		case <-tick.C:
			if missing++; missing > s.alive {
				_ = client.Close()
				return
			}
			go func() { // ends with the answer or with the connection
				_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
				select {
				case answers <- err:
				case <-over:
				}
			}()
		}
	}
}

func ignoreGone(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
