package sshconn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// credentials are all that a connection may log in with.
type credentials struct {
	methods []ssh.AuthMethod
	tried   []string // for people, if it fails
	agent   net.Conn // nil without one
}

func (c *credentials) close() {
	if c.agent != nil {
		_ = c.agent.Close()
	}
}

// credentials gathers keys and passwords: files that were named, the agent's
// keys, the usual files, then the password.
func (d *Dialer) credentials(ctx context.Context, s *settings) (*credentials, error) {
	c := &credentials{}
	var signers []ssh.Signer
	for _, path := range s.keyFiles {
		signer, err := readKey(path, s.passphrase)
		switch {
		case errors.Is(err, fs.ErrNotExist) && !s.explicit:
			continue
		case errors.Is(err, fs.ErrNotExist):
			return nil, withHint(fmt.Errorf("the private key %s does not exist", path), "correct ansible_ssh_private_key_file (or IdentityFile), or make the key: ssh-keygen -t ed25519 -f %s", path)
		case err != nil && !s.explicit:
			c.tried = append(c.tried, "not the key "+path+" ("+err.Error()+")")
			continue
		case err != nil:
			return nil, withHint(fmt.Errorf("the private key %s: %w", path, err), "%s", keyHint(path, err))
		}
		signers = append(signers, signer)
		c.tried = append(c.tried, "the key "+path)
	}
	if fromAgent := c.askAgent(ctx, s); len(fromAgent) > 0 {
		signers = append(signers, fromAgent...)
	}
	if len(signers) > 0 {
		c.methods = append(c.methods, ssh.PublicKeys(signers...))
	}
	if s.password != "" {
		c.methods = append(c.methods, ssh.Password(s.password), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = s.password
			}
			return answers, nil
		}))
		c.tried = append(c.tried, "the password")
	}
	return c, nil
}

// askAgent returns the keys of the agent. One that does not answer is not
// needed for those who have a key.
func (c *credentials) askAgent(ctx context.Context, s *settings) []ssh.Signer {
	if s.agent == "" || s.onlyKeys {
		return nil
	}
	var dialer net.Dialer
	sock, err := dialer.DialContext(ctx, "unix", s.agent)
	if err != nil {
		c.tried = append(c.tried, "no agent ("+err.Error()+")")
		return nil
	}
	c.agent = sock
	signers, err := agent.NewClient(sock).Signers()
	if err != nil {
		c.tried = append(c.tried, "no agent ("+err.Error()+")")
		return nil
	}
	c.tried = append(c.tried, fmt.Sprintf("%d keys of the agent", len(signers)))
	return signers
}

var errNoPassphrase = errors.New("it is encrypted, and there is nobody to ask for the passphrase")

func readKey(path string, passphrase func(string) (string, error)) (ssh.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	if _, encrypted := errors.AsType[*ssh.PassphraseMissingError](err); encrypted {
		if passphrase == nil {
			return nil, errNoPassphrase
		}
		secret, err := passphrase(path)
		if err != nil {
			return nil, err
		}
		signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(secret))
		if err != nil {
			return nil, errors.New("the passphrase is wrong")
		}
		return withCertificate(path, signer), nil
	}
	if err != nil {
		if strings.Contains(string(text), "PUBLIC KEY") || strings.HasPrefix(string(text), "ssh-") {
			return nil, errors.New("it is a public key; the private one is wanted")
		}
		return nil, fmt.Errorf("it is not a private key: %w", err)
	}
	return withCertificate(path, signer), nil
}

// withCertificate uses the certificate that stands beside a key, if one does.
func withCertificate(path string, signer ssh.Signer) ssh.Signer {
	text, err := os.ReadFile(path + "-cert.pub")
	if err != nil {
		return signer
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	if err != nil {
		return signer
	}
	cert, ok := key.(*ssh.Certificate)
	if !ok {
		return signer
	}
	if with, err := ssh.NewCertSigner(cert, signer); err == nil {
		return with
	}
	return signer
}

func keyHint(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "make it readable for you: chmod u+r " + path
	case errors.Is(err, errNoPassphrase):
		return "add it to an agent: ssh-add " + path
	}
	return "name the private key in ansible_ssh_private_key_file"
}
