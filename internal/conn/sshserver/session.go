package sshserver

import (
	"io"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// session is one session channel: a command or the SFTP subsystem.
type session struct {
	server  *Server
	conn    ssh.ConnMetadata
	channel ssh.Channel

	env     []string
	process *process // once a command has been started
}

// serve answers the requests of the channel until the client closes it, or
// what runs on it has ended.
func (s *session) serve(requests <-chan *ssh.Request) {
	done := make(chan struct{}) // closed when what was started is over
	started := false
	for r := range requests {
		ok := false
		switch r.Type {
		case "env":
			ok = s.setenv(r.Payload)
		case "exec":
			if started || s.server.faults.NoExec {
				break
			}
			ok = s.exec(r.Payload, done)
			started = ok
		case "subsystem":
			if started || s.server.faults.NoSFTP || text(r.Payload) != "sftp" {
				break
			}
			ok, started = true, true
			s.server.running.Go(func() {
				defer close(done)
				s.sftp()
			})
		case "signal":
			ok = s.process != nil
			if ok && !s.server.faults.IgnoreSignals {
				s.process.signal(text(r.Payload))
			}
		}
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
	}
	if started {
		<-done
	}
	_ = s.channel.Close()
}

// text is the string that a request carries; "" if it is malformed.
func text(payload []byte) string {
	var p struct{ Text string }
	if ssh.Unmarshal(payload, &p) != nil {
		return ""
	}
	return p.Text
}

func (s *session) setenv(payload []byte) bool {
	var p struct{ Name, Value string }
	if ssh.Unmarshal(payload, &p) != nil {
		return false
	}
	s.env = append(s.env, p.Name+"="+p.Value)
	return true
}

// exec starts a command and closes done when it is over.
func (s *session) exec(payload []byte, done chan<- struct{}) bool {
	p, err := s.server.start(s, text(payload))
	if err != nil {
		_, _ = io.WriteString(s.channel.Stderr(), err.Error()+"\n")
		return false
	}
	s.process = p
	s.server.running.Go(func() {
		defer close(done)
		defer s.channel.Close()
		name, status := p.wait()
		if !s.server.faults.NoExitStatus {
			_, _ = s.channel.SendRequest(name, false, status)
		}
		p.drain()
		_ = s.channel.CloseWrite()
	})
	return true
}

// sftp serves files until the client closes the channel.
func (s *session) sftp() {
	defer s.channel.Close()
	files, err := sftp.NewServer(s.channel, sftp.WithServerWorkingDirectory(s.server.root))
	if err != nil {
		return
	}
	_ = files.Serve() // it ends with the channel, whatever the error
}
