package sshserver

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Faults make a server misbehave, so that tests can see what a client does
// about it. The zero value is a good server.
type Faults struct {
	Silent        bool   // accept connections and never say a word
	Banner        string // send this in place of the SSH version, and hang up
	DropAfter     int64  // hang up once this many bytes were sent on a connection
	StallAfter    int64  // neither send nor read after this many bytes
	NoExec        bool   // refuse to run commands
	NoSFTP        bool   // refuse the SFTP subsystem
	NoExitStatus  bool   // close the channel without a word about the exit
	IgnoreSignals bool   // take signal requests and do nothing
	MaxSessions   int    // refuse more channels than this on a connection
}

// Cut hangs up on every client, as a broken link does.
func (s *Server) Cut() { s.each(func(l *link) { _ = l.Close() }) }

// Freeze makes every open connection a dead one that still looks alive: what
// arrives is not read and nothing is sent. Only Close and Cut end that.
func (s *Server) Freeze() { s.each(func(l *link) { l.freeze() }) }

// link is the server's end of a TCP connection, with its faults.
type link struct {
	net.Conn
	faults Faults
	sent   atomic.Int64
	frozen chan struct{} // closed when nothing may pass any more
	gone   chan struct{} // closed by Close

	freezeOnce, closeOnce sync.Once
}

func newLink(c net.Conn, f Faults) *link {
	return &link{Conn: c, faults: f, frozen: make(chan struct{}), gone: make(chan struct{})}
}

func (l *link) freeze() { l.freezeOnce.Do(func() { close(l.frozen) }) }

// Close implements net.Conn. It may be called more than once.
func (l *link) Close() error {
	var err error
	l.closeOnce.Do(func() {
		close(l.gone)
		err = l.Conn.Close()
	})
	return err
}

// held waits for the end of a frozen connection, and tells if it was frozen.
func (l *link) held() bool {
	select {
	case <-l.frozen:
		<-l.gone
		return true
	default:
		return false
	}
}

// Read implements net.Conn.
func (l *link) Read(p []byte) (int, error) {
	if l.held() {
		return 0, io.EOF
	}
	n, err := l.Conn.Read(p)
	if l.held() {
		return 0, io.EOF
	}
	return n, err
}

// Write implements net.Conn.
func (l *link) Write(p []byte) (int, error) {
	if l.held() {
		return 0, io.ErrClosedPipe
	}
	sent := l.sent.Add(int64(len(p)))
	if limit := l.faults.DropAfter; limit > 0 && sent >= limit {
		keep := max(0, int64(len(p))-(sent-limit))
		n, _ := l.Conn.Write(p[:keep])
		_ = l.Close()
		return n, io.ErrClosedPipe
	}
	if limit := l.faults.StallAfter; limit > 0 && sent >= limit {
		l.freeze()
		l.held()
		return 0, io.ErrClosedPipe
	}
	return l.Conn.Write(p)
}

// misbehaves plays the faults that come before the handshake, and tells if
// that was all.
func (l *link) misbehaves() bool {
	switch {
	case l.faults.Silent:
		<-l.gone
		return true
	case l.faults.Banner != "":
		_, _ = io.WriteString(l.Conn, l.faults.Banner)
		return true
	}
	return false
}
