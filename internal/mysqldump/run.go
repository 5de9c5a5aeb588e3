package mysqldump

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// told is what a script has said on its standard error.
type told struct {
	mark   string
	rc     int    // of the client; -1 if nothing was said
	bytes  int64  // -1 likewise
	digest string // empty likewise
	lacks  string // a program that is not there
	client string // the same, if it is the client
	status int    // of what ran the script: the engine, or sh
	noise  []string
	notes  []string
}

// grace is how long the script may take to end what it has started, once its
// input has ended.
const grace = 4 * time.Second

// run runs a script beside the server, with the login on its input and its
// output in w. What it reports is returned even if it has failed; the error is
// for a script that could not be run, or that was given up.
func run(ctx context.Context, s site, l login, script string, silence time.Duration, w io.Writer) (told, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	mark := "runner-" + rand.Text()
	argv := s.command("sh", "-c", header(mark, l)+script)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the script ends its group
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return told{}, err
	}
	idle := newIdle(silence, func() {
		cancel(fail(CodeSilent, "the dump has yielded nothing for %s", silence))
	})
	defer idle.stop()
	var stderr lines
	cmd.Stdout, cmd.Stderr = &watched{w: w, idle: idle, failed: cancel}, &stderr
	if err := cmd.Start(); err != nil {
		return told{}, fail(CodeClient, "%v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// The input stays open: its end is the sign that nobody wants the dump. If
	// it is not taken there is no exit status either, and that is told.
	_, _ = io.WriteString(stdin, l.optionFile()+mark+"\n")
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = stdin.Close()
		select {
		case <-ended:
		case <-time.After(grace):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
		return told{}, context.Cause(ctx)
	}
	_ = stdin.Close()
	if cause := context.Cause(ctx); cause != nil {
		return told{}, cause // the receiver has failed
	}
	t := read(mark, stderr.text())
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.status = exit.ExitCode()
		if t.status < 0 {
			t.status = 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
		}
	} else if err != nil {
		return told{}, err
	}
	return t, nil
}

// read takes a script's reports out of its standard error.
func read(mark, stderr string) told {
	t := told{mark: mark, rc: -1, bytes: -1}
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		fact, ours := strings.CutPrefix(line, mark+" ")
		name, value, _ := strings.Cut(fact, " ")
		switch {
		case line == "":
		case !ours:
			t.noise = append(t.noise, line)
		case name == "rc":
			t.rc, _ = strconv.Atoi(value)
		case name == "bytes":
			t.bytes, _ = strconv.ParseInt(value, 10, 64)
		case name == "digest":
			t.digest = value
		case name == "lacks":
			t.lacks = value
		case name == "no":
			t.client = value
		}
	}
	for _, line := range t.noise {
		if !isError(line) {
			t.notes = append(t.notes, line)
		}
	}
	return t
}

// isError tells whether a line of standard error reports a failure. Clients
// have gone on after some, and have ended with status 0 and a footer.
func isError(line string) bool {
	return strings.Contains(strings.ToLower(line), "error") || strings.Contains(line, "Couldn't") || strings.Contains(line, "denied")
}

// failure returns what speaks against what a script has done, nil if nothing
// does.
func (t told) failure(l login) error {
	var errs []string
	for _, line := range t.noise {
		if isError(line) {
			errs = append(errs, line)
		}
	}
	said := strings.Join(errs, "; ")
	if said == "" {
		said = strings.Join(t.noise, "; ")
	}
	switch {
	case t.client != "":
		return fail(CodeClient, "there is no %s beside the server", t.client)
	case t.lacks != "":
		return fail(CodeClient, "the program %s is missing beside the server; it is needed to prove the dump", t.lacks)
	case t.status == 96:
		return fail(CodeCut, "the script's input was cut: does the engine pass standard input on?")
	case t.rc < 0 && t.status != 0:
		return engineFailure(t.status, said)
	case t.rc > 0 || len(errs) > 0:
		return clientFailure(t.rc, said, l)
	case t.status != 0:
		return engineFailure(t.status, said)
	case t.rc < 0:
		return fail(CodeCut, "the client has not reported its exit status: its standard error is lost or mixed with the dump")
	}
	return nil
}

// engineFailure explains the exit status of what ran the script.
func engineFailure(status int, said string) error {
	why := map[int]string{
		125: "the engine itself has failed",
		126: "the shell of the container cannot be run",
		127: "the container has no shell",
		137: "it was killed, by the memory limit or by a stop of the container",
		143: "it was ended, by a stop of the container",
	}[status]
	if why == "" {
		why = "the container or its engine has failed"
	}
	if said != "" {
		why += ": " + said
	}
	return fail(CodeCut, "the command has ended with status %d: %s", status, why)
}

// clientFailure reads the error numbers of server and client in what is said;
// see "Server Error Message Reference" and "Client Error Message Reference" of
// MySQL's manual.
func clientFailure(rc int, said string, l login) error {
	for _, known := range []struct {
		code, msg string
		numbers   []string
	}{
		{CodeLogin, "the server refuses the login; the password comes from " + l.source, []string{"1045", "1698", "1044 (28000)"}},
		{CodeServer, "the server cannot be reached", []string{"2002", "2003", "2005"}},
		{CodeServer, "the server has gone during the dump", []string{"2006", "2013", "1053", "1317"}},
		{CodeDDL, "a table was altered during the dump", []string{"1412", "1146"}},
		{CodeGrants, "the user may not read what is to be dumped", []string{"1142", "1143", "1227", "1044", "1370"}},
		{CodeSchema, "no such database", []string{"1049"}},
	} {
		for _, n := range known.numbers {
			if strings.Contains(said, n+":") || strings.Contains(said, "("+n+")") || strings.Contains(said, "ERROR "+n) || strings.Contains(said, "error: "+n) {
				return fail(known.code, "%s: %s", known.msg, said)
			}
		}
	}
	// The client's own word for a definition that does not fit the rows.
	if strings.Contains(said, "Error in field count") {
		return fail(CodeDDL, "a table was altered during the dump: %s", said)
	}
	if rc > 0 {
		return fail(CodeClientFailed, "the client has ended with status %d: %s", rc, said)
	}
	return fail(CodeClientFailed, "the client reports a failure, though it has ended with status 0: %s", said)
}

// output runs a command beside the server and returns what it prints.
func (s site) output(ctx context.Context, argv ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	argv = s.command(argv...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// idle calls a function when nothing has happened for a time.
type idle struct {
	after time.Duration
	timer *time.Timer
}

func newIdle(after time.Duration, do func()) idle {
	if after <= 0 {
		return idle{}
	}
	return idle{after, time.AfterFunc(after, do)}
}

func (i idle) touch() {
	if i.timer != nil {
		i.timer.Reset(i.after)
	}
}

func (i idle) stop() {
	if i.timer != nil {
		i.timer.Stop()
	}
}

// watched is a writer whose use is a sign of life. While w takes its time
// nothing can come, so the clock stands.
type watched struct {
	w      io.Writer
	idle   idle
	failed context.CancelCauseFunc
}

func (w *watched) Write(p []byte) (int, error) {
	w.idle.stop()
	n, err := w.w.Write(p)
	if err != nil {
		w.failed(err)
		return n, err
	}
	w.idle.touch()
	return n, nil
}

// maxText bounds what a script may say.
const maxText = 4 << 20

// lines keeps what is written to it, up to maxText. It is safe for concurrent
// use.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(p[:min(len(p), max(0, maxText-l.buf.Len()))])
	return len(p), nil
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
