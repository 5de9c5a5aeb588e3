package taskstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/torrust/runner/internal/conn"
)

// Conn is the machine of the test. It remembers what it was asked to run.
type Conn struct {
	mu   sync.Mutex
	runs []conn.Cmd
	// Fail, if set, is asked before a command runs; what it returns is the
	// outcome.
	Fail func(conn.Cmd) error
	// Answer, if set, is asked next: what it returns is the output of the
	// command, which does not run then.
	Answer func(conn.Cmd) (stdout string, ok bool)
	// Bin is a folder whose programs come before the others; see Fake.
	Bin string
}

var _ conn.Conn = (*Conn)(nil)

// Runs returns the commands that were run.
func (c *Conn) Runs() []conn.Cmd {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.runs
}

// Run implements conn.Conn.
func (c *Conn) Run(ctx context.Context, cmd conn.Cmd) error {
	c.mu.Lock()
	c.runs = append(c.runs, cmd)
	c.mu.Unlock()
	if c.Fail != nil {
		if err := c.Fail(cmd); err != nil {
			return err
		}
	}
	if c.Answer != nil {
		if text, ok := c.Answer(cmd); ok {
			_, err := io.WriteString(cmd.Stdout, text)
			return err
		}
	}
	p := exec.CommandContext(ctx, c.program(cmd.Argv[0]), cmd.Argv[1:]...)
	var tail bytes.Buffer
	p.Stdin, p.Stdout, p.Stderr, p.Dir = cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Dir
	if p.Stderr == nil {
		p.Stderr = &tail
	}
	p.Env = os.Environ()
	for k, v := range cmd.Env {
		p.Env = append(p.Env, k+"="+v)
	}
	if c.Bin != "" {
		p.Env = append(p.Env, "PATH="+c.Bin+":"+os.Getenv("PATH"))
	}
	err := p.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		e := &conn.ExitError{Code: exit.ExitCode(), Stderr: strings.TrimSpace(tail.String())}
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			e.Signal = strings.TrimPrefix(status.Signal().String(), "SIG")
		}
		return e
	}
	if err != nil { // as a shell would put it
		return &conn.ExitError{Code: 127, Stderr: err.Error()}
	}
	return nil
}

func (c *Conn) program(name string) string {
	if path := filepath.Join(c.Bin, name); c.Bin != "" && !strings.Contains(name, "/") {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return name
}

// Fake puts a script in the place of a program of the host.
func (c *Conn) Fake(t testing.TB, name, script string) {
	t.Helper()
	if c.Bin == "" {
		c.Bin = t.TempDir()
	}
	must(t, os.WriteFile(filepath.Join(c.Bin, name), []byte("#!/bin/sh\n"+script), 0o755))
}

// Get implements conn.Conn.
func (c *Conn) Get(_ context.Context, path string, w io.Writer) (fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(w, f)
	return info, err
}

// Put implements conn.Conn.
func (c *Conn) Put(_ context.Context, path string, r io.Reader, mode fs.FileMode) error {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Chmod(mode), f.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return os.Rename(temp, path)
}

// Stat implements conn.Conn.
func (c *Conn) Stat(_ context.Context, path string) (fs.FileInfo, error) { return os.Lstat(path) }

// As implements conn.Conn.
func (c *Conn) As(conn.Become) conn.Conn { return c }

// Peer implements conn.Conn.
func (c *Conn) Peer() conn.Peer { return conn.Peer{Addr: "local", User: "test"} }

// Close implements conn.Conn.
func (c *Conn) Close() error { return nil }
