package mysqldump

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/blake2b"

	"github.com/torrust/runner/internal/container"
)

func TestDump(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.put(t, "said", "mysqldump: [Warning] something of no weight\n")
	var got bytes.Buffer
	report, err := Source(t.Context(), f.params(), &got)
	require.NoError(t, err)
	want := dumpText(2000)
	assert.Equal(t, want, got.String())
	sum := blake2b.Sum512([]byte(want))
	assert.Equal(t, Report{
		Server: "mysql 8.4.8", Client: "mysqldump  Ver 8.4.8 for Linux on x86_64 (MySQL Community Server - GPL)",
		Container: "mysql", Image: "mysql:8.4", ImageID: "sha256:abc",
		Credentials: "the environment of the container mysql (MYSQL_PASSWORD)", User: "torrust@%",
		Databases: []string{"torrust_tracker"}, Tables: map[string]any{"torrust_tracker": []any{"keys", "torrents"}},
		Rows: 2001, Snapshots: 1, Bytes: int64(len(want)), Digest: "blake2b-512:" + hex.EncodeToString(sum[:]),
		Unseen: []string{}, Unsafe: []string{}, Notes: []string{"mysqldump: [Warning] something of no weight"},
	}, report)
	args := f.get(t, "dumped")
	for _, option := range []string{"--single-transaction", "--routines", "--events", "--set-gtid-purged=OFF", "-- torrust_tracker"} {
		assert.Contains(t, args, option)
	}
	assert.NotContains(t, args, "ss #", "the password")
}

// TestPoorContainer: one with the tools of BusyBox, of an old one.
func TestPoorContainer(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bin := filepath.Join(f.dir, "bin")
	require.NoError(t, os.Remove(filepath.Join(bin, "dd")))
	require.NoError(t, os.Rename(filepath.Join(bin, "b2sum"), filepath.Join(bin, "other")))
	_, err := Source(t.Context(), f.params(), io.Discard)
	refused(t, err, CodeClient, "sha256sum is missing beside the server")
	path, err := exec.LookPath("sha256sum")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(path, filepath.Join(bin, "sha256sum")))
	report, err := Source(t.Context(), f.params(), io.Discard)
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(dumpText(2000)))), report.Digest)
}

// TestLies: whatever the engine does to the dump, none is accepted.
func TestLies(t *testing.T) {
	t.Parallel()
	through := func(filter string) func(fake) string {
		return func(f fake) string {
			return "d=no; case \"$*\" in *'dumps()'*) d=yes ;; esac\n" +
				"if [ $d = no ]; then " + strings.TrimSpace(f.honest()) + "; exit; fi\n" + strings.ReplaceAll(filter, "RUN", strings.TrimSpace(f.honest()))
		}
	}
	for name, lie := range map[string]struct {
		exec func(fake) string
		code string
		says string
	}{
		"cuts 1 byte":           {through("RUN | head -c -1"), CodeCut, "have arrived"},
		"cuts 17 bytes":         {through("RUN | head -c -17"), CodeCut, "have arrived"},
		"cuts 4096 bytes":       {through("RUN | head -c -4096"), CodeCut, "have arrived"},
		"cuts 65536 bytes":      {through("RUN | head -c -65536"), CodeCut, "have arrived"},
		"cuts all":              {through("RUN >/dev/null"), CodeCut, "0 have arrived"},
		"adds carriage returns": {through(`RUN | sed 's/$/\r/'`), CodeCut, "lost or added"},
		"adds frame headers":    {through(`printf '\001\000\000\000\000\001\000\000'; RUN`), CodeCut, "lost or added"},
		"swaps a byte":          {through("RUN | tr k K"), CodeCut, "is not what the client has written"},
		"merges stderr":         {through("RUN 2>&1"), CodeCut, "has not reported its exit status"},
		"loses stderr":          {through("RUN 2>/dev/null"), CodeCut, "has not reported its exit status"},
		"exits with 1":          {through("RUN; exit 1"), CodeCut, "status 1"},
		"exits with 137":        {through("RUN; exit 137"), CodeCut, "status 137: it was killed"},
		"runs nothing":          {through("exit 0"), CodeCut, "has not reported"},
		"passes no input":       {through("RUN </dev/null"), CodeCut, "input was cut"},
		"has no shell":          {through("echo 'exec: sh: not found' >&2; exit 127"), CodeCut, "no shell"},
		"is not allowed":        {func(fake) string { return "echo permission denied >&2; exit 126" }, CodeCut, "status 126"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.put(t, "exec", lie.exec(f))
			_, err := Source(t.Context(), f.params(), io.Discard)
			refused(t, err, lie.code, lie.says)
		})
	}
}

// TestClientsThatFail: what the client says or does counts, though the engine
// is honest.
func TestClientsThatFail(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rc, said   string
		code, says string
	}{
		"status 2":                {"2", "", CodeClientFailed, "status 2"},
		"an error with status 0":  {"0", "mysqldump: Error: 'Access denied; you need PROCESS' when trying to dump tablespaces\n", CodeClientFailed, "status 0"},
		"an access denied":        {"2", "mysqldump: Got error: 1045: Access denied for user\n", CodeLogin, "the password comes from the environment of the container mysql (MYSQL_PASSWORD)"},
		"the server goes":         {"3", "mysqldump: Error 2013: Lost connection to server during query when dumping table `torrents` at row: 7\n", CodeServer, "has gone"},
		"a table is altered":      {"3", "mysqldump: Error 1412: Table definition has changed, please retry transaction\n", CodeDDL, "altered"},
		"a table gets a column":   {"3", "mysqldump: Error in field count for table: `keys` ! Aborting.\n", CodeDDL, "altered"},
		"a right is missing":      {"2", "mysqldump: Couldn't execute 'FLUSH TABLES': Access denied; you need RELOAD (1227)\n", CodeGrants, "RELOAD"},
		"the server is not there": {"2", "mysqldump: Got error: 2002: Can't connect to local server through socket\n", CodeServer, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.put(t, "rc", tt.rc)
			f.put(t, "said", tt.said)
			_, err := Source(t.Context(), f.params(), io.Discard)
			refused(t, err, tt.code, tt.says)
		})
	}
}

// TestDumpsThatAreNotWhole: the client and the engine say that all is well.
func TestDumpsThatAreNotWhole(t *testing.T) {
	t.Parallel()
	whole := dumpText(10)
	for name, tt := range map[string]struct{ dump, code, says string }{
		"empty":           {"", CodeCut, "empty"},
		"no footer":       {strings.TrimSuffix(whole, "-- Dump completed\n"), CodeCut, "does not end with its footer"},
		"half a footer":   {strings.TrimSuffix(whole, "ed\n"), CodeCut, "does not end with its footer"},
		"text behind it":  {whole + "bye\n", CodeCut, "does not end with its footer"},
		"text before it":  {"Welcome!\n" + strings.Replace(whole, "-- MySQL dump", "-- My dump", 1), CodeCut, `"Welcome!"`},
		"a table missing": {strings.Replace(whole, "CREATE TABLE `torrents`", "CREATE TABLE `others`", 1), CodeDDL, "torrust_tracker.torrents"},
		"twice":           {whole + whole, CodeCut, "2 dumps, not of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.put(t, "dump", tt.dump)
			_, err := Source(t.Context(), f.params(), io.Discard)
			refused(t, err, tt.code, tt.says)
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files      map[string]string
		change     func(*Params)
		code, says string
	}{
		"wrong password":       {map[string]string{"expected-login": "password=\"another\""}, nil, CodeLogin, "comes from the environment of the container mysql (MYSQL_PASSWORD)"},
		"no such container":    {nil, func(p *Params) { p.Container.Name = "mysq" }, CodeContainer, "no container mysq; it has mysql, tracker"},
		"no such service":      {nil, func(p *Params) { p.Container = container.Query{Service: "db"} }, CodeContainer, "no service db"},
		"stopped":              {map[string]string{"inspect.json": inspectJSON("exited")}, nil, CodeContainer, "is exited"},
		"paused":               {map[string]string{"inspect.json": inspectJSON("paused")}, nil, CodeContainer, "is paused"},
		"no engine":            {nil, func(p *Params) { p.Engine = "/nowhere/docker" }, CodeNoEngine, "has no /nowhere/docker"},
		"MyISAM":               {map[string]string{"tables": "torrust_tracker\tkeys\tBASE TABLE\tMyISAM\t1\n"}, nil, CodeUnsafe, "torrust_tracker.keys (MyISAM)"},
		"no table":             {map[string]string{"tables": ""}, nil, CodeSchema, "nothing to dump"},
		"no such database":     {nil, func(p *Params) { p.Databases = []string{"tracker"} }, CodeSchema, "no database tracker, or the user torrust@% may not see it; it sees torrust_tracker"},
		"no required table":    {nil, func(p *Params) { p.Require = []string{"whitelist"} }, CodeSchema, "no table whitelist"},
		"another vendor":       {map[string]string{"client-version": "mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian\n"}, nil, CodeClient, "another vendor"},
		"no client":            {nil, func(p *Params) { p.Client = "mydumper" }, CodeClient, "no client that dumps beside the server"},
		"no password for root": {nil, func(p *Params) { p.User = "nobody" }, CodeCredentials, "no password for the user nobody in the environment of the container mysql"},
		"an unreadable answer": {map[string]string{"tables": "nonsense\n"}, nil, CodeServer, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			for file, text := range tt.files {
				f.put(t, file, text)
			}
			p := f.params()
			if tt.change != nil {
				tt.change(&p)
			}
			_, err := Source(t.Context(), p, io.Discard)
			refused(t, err, tt.code, tt.says)
			assert.NoFileExists(t, filepath.Join(f.dir, "dumped"), "nothing was dumped")
		})
	}
}

// TestChoices: which rows and tables come, and by how many commands.
func TestChoices(t *testing.T) {
	t.Parallel()
	tables := []tableInfo{
		{table: table{"tracker", "keys"}, engine: "InnoDB", rows: 3}, {table: table{"tracker", "torrents"}, engine: "InnoDB", rows: 1000},
		{table: table{"tracker", "log"}, engine: "MyISAM", rows: 5}, {table: table{"tracker", "top"}, view: true},
	}
	st := state{program: "mysqldump", vendor: "mysql", client: "mysqldump Ver 8.4.8", schemas: []string{"tracker", "index"}, tables: tables}
	last := func(c []string, n int) []string { return c[len(c)-n:] }
	unsafe := Params{AllowNonTransactional: true}

	j, err := plan(unsafe, []string{"tracker"}, st)
	require.NoError(t, err)
	require.Len(t, j.commands, 1)
	assert.Equal(t, []string{"--", "tracker"}, last(j.commands[0], 2))
	assert.Equal(t, []string{"tracker.log (MyISAM)"}, j.unsafe)
	assert.Equal(t, int64(1008), j.rows)

	j, err = plan(Params{Exclude: []string{"log"}, Where: map[string]string{"torrents": "completed > 0"}, SchemaOnlyTables: []string{"tracker.keys"}}, []string{"tracker"}, st)
	require.NoError(t, err)
	require.Len(t, j.commands, 3)
	assert.Equal(t, []string{"--ignore-table=tracker.log", "--ignore-table=tracker.keys", "--ignore-table=tracker.torrents", "--", "tracker"}, last(j.commands[0], 5))
	assert.Equal(t, []string{"--no-data", "--", "tracker", "keys"}, last(j.commands[1], 4))
	assert.Equal(t, []string{"--where=completed > 0", "--", "tracker", "torrents"}, last(j.commands[2], 4))
	assert.Contains(t, j.commands[0], "--routines")
	assert.NotContains(t, j.commands[2], "--routines", "else they come twice")
	assert.Equal(t, []table{{"tracker", "keys"}, {"tracker", "torrents"}}, j.wanted)

	j, err = plan(Params{Tables: []string{"keys"}}, []string{"tracker"}, st)
	require.NoError(t, err)
	assert.Equal(t, []string{"--", "tracker", "keys"}, last(j.commands[0], 3))
	assert.NotContains(t, j.commands[0], "--routines")

	j, err = plan(Params{SchemaOnly: true}, []string{"tracker", "index"}, st)
	require.NoError(t, err)
	assert.Equal(t, []string{"--no-data", "--databases", "--", "tracker", "index"}, last(j.commands[0], 5))
	assert.Empty(t, j.unsafe, "without rows there is nothing to tear")

	_, err = plan(Params{Tables: []string{"keys"}}, []string{"tracker", "index"}, st)
	require.ErrorContains(t, err, "one database only")
	_, err = plan(Params{Exclude: []string{"keys"}, Require: []string{"keys"}}, []string{"tracker"}, st)
	require.ErrorContains(t, err, "both required and excluded")
}

// TestSilence: an engine that hangs is given up, and what it runs is ended.
func TestSilence(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.put(t, "hangs", "")
	p := f.params()
	p.Silence = 300 * time.Millisecond
	_, err := Source(t.Context(), p, io.Discard)
	refused(t, err, CodeSilent, "nothing for 300ms")
	noneOf(t, f)
}

// TestEnds: whoever wants the dump goes, or cannot take it.
func TestEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.CancelCauseFunc) io.Writer{
		"the runner goes": func(cancel context.CancelCauseFunc) io.Writer {
			return writer(func([]byte) (int, error) { cancel(errGone); return 1 << 20, nil })
		},
		"the writer fails": func(context.CancelCauseFunc) io.Writer {
			return writer(func([]byte) (int, error) { return 0, errGone })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.script(t, "bin/mysqldump", `case $1 in --version) cat "$dir/client-version"; exit ;; --help) exit ;; esac
while :; do cat "$dir/dump"; done
`)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			_, err := Source(ctx, f.params(), end(cancel))
			require.ErrorIs(t, err, errGone)
			noneOf(t, f)
		})
	}
}

var errGone = errors.New("gone")

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { n, err := w(p); return min(n, len(p)), err }

// noneOf makes sure that nothing of the fake runs any more.
func noneOf(t *testing.T, f fake) {
	t.Helper()
	running, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range running {
		line, _ := os.ReadFile(file) // it may have ended meanwhile
		assert.NotContains(t, string(line), f.dir)
	}
}

func refused(t *testing.T, err error, code, says string) {
	t.Helper()
	failed, ok := errors.AsType[*Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, code, failed.Code, err)
	assert.Contains(t, failed.Msg, says)
	assert.NotContains(t, failed.Msg, "ss #", "the password")
}

func TestService(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	p := f.params()
	p.Container = container.Query{Service: "mysql"}
	_, err := Source(t.Context(), p, io.Discard)
	require.NoError(t, err)
}

// TestSecretsStayOffTheCommandLine looks at what the engine is asked to run.
func TestSecretsStayOffTheCommandLine(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.put(t, "exec", `printf '%s\n' "$@" >>"$dir/argv"; env >>"$dir/env"`+"\n"+f.honest())
	_, err := Source(t.Context(), f.params(), io.Discard)
	require.NoError(t, err)
	assert.NotContains(t, f.get(t, "argv")+f.get(t, "env"), "ss #")
	assert.Contains(t, f.get(t, "option-file"), fmt.Sprintf("password=%q", strings.ReplaceAll(password, "ä", ""))[:14])
}
