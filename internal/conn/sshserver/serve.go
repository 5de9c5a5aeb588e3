package sshserver

import (
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// serve does all that one client asks for, until the connection is closed.
func (s *Server) serve(l *link) {
	if l.misbehaves() {
		return
	}
	c, channels, requests, err := ssh.NewServerConn(l, s.ssh)
	if err != nil {
		return // the client has been told
	}
	s.running.Go(func() { ssh.DiscardRequests(requests) }) // answers keepalives
	var sessions atomic.Int64
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			if limit := s.faults.MaxSessions; limit > 0 && sessions.Load() >= int64(limit) {
				_ = ch.Reject(ssh.ConnectionFailed, "open failed") // the words of OpenSSH
				continue
			}
			channel, requests, err := ch.Accept()
			if err != nil {
				return
			}
			sessions.Add(1)
			s.running.Go(func() {
				defer sessions.Add(-1)
				(&session{server: s, conn: c, channel: channel}).serve(requests)
			})
		case "direct-tcpip":
			s.running.Go(func() { s.forward(ch) })
		default:
			_ = ch.Reject(ssh.UnknownChannelType, "not supported")
		}
	}
	_ = c.Wait()
}

// forward connects a channel to an address, as jump hosts do (RFC 4254, 7.2).
func (s *Server) forward(ch ssh.NewChannel) {
	var to struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	if err := ssh.Unmarshal(ch.ExtraData(), &to); err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, "malformed request")
		return
	}
	c, err := new(net.Dialer).DialContext(s.ctx, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer c.Close()
	channel, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	s.running.Go(func() { ssh.DiscardRequests(requests) })
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(c, channel)
		_ = c.(*net.TCPConn).CloseWrite()
	})
	both.Go(func() {
		_, _ = io.Copy(channel, c)
		_ = channel.CloseWrite()
		_ = channel.Close() // the target has hung up: nothing more to send to it
		_ = c.Close()
	})
	both.Wait()
}
