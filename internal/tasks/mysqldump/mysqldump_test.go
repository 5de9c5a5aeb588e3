package mysqldump

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/mysqldump"
	"github.com/torrust/runner/internal/tasks/taskstest"
)

var dump = bytes.Repeat([]byte("INSERT INTO `torrents` VALUES (1);\n"), 100)

// report is that of a host that has dumped all that was wanted.
func report() mysqldump.Report {
	sum := sha256.Sum256(dump)
	return mysqldump.Report{
		Server: "mysql 8.4.8", Container: "mysql", Credentials: "/srv/.env (MYSQL_PASSWORD)", User: "torrust",
		Databases: []string{"torrust_tracker"}, Tables: map[string]any{"torrust_tracker": []any{"keys", "torrents"}},
		Snapshots: 1, Bytes: int64(len(dump)), Digest: "sha256:" + hex.EncodeToString(sum[:]),
	}
}

func newHost(t *testing.T, r mysqldump.Report) *taskstest.Host {
	t.Helper()
	h := taskstest.New(t)
	h.Helper.Source = func(s helper.Stage) ([]byte, any, error) {
		if s.Name != "mysqldump" {
			return nil, nil, &helper.Error{Code: helper.CodeInvalid, Msg: "unknown source " + s.Name}
		}
		return dump, r, nil
	}
	return h
}

func TestAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t, report())
	r, err := h.Run(t, Spec(), `{service: mysql, login_user: backup, login_password: geheim, where: {torrents: completed > 0}, exclude_tables: [keys], dest: mysql.sql.gz}`)
	require.NoError(t, err)
	assert.True(t, r.Changed)

	call := h.Helper.Calls()[0]
	raw, err := json.Marshal(call.Source.Params)
	require.NoError(t, err)
	assert.JSONEq(t, `{"container": {"service": "mysql"}, "user": "backup", "password": "geheim", "given": true,
		"exclude": ["keys"], "where": {"torrents": "completed > 0"}, "silence": 300000000000}`, string(raw))

	a := h.Finish(t).Manifest.Artifact("mysql.sql.gz")
	assert.Equal(t, []string{"mysqldump (host)", "gzip (host)"}, a.Stages)
	assert.Equal(t, "service mysql: the databases that the credentials come with", a.Source)
	results := map[string]string{}
	for _, p := range a.Proofs {
		results[p.Name] = p.Result
	}
	for _, name := range []string{"exit_status", "footer", "client_digest", "tables", "snapshot", "objects"} {
		assert.Equal(t, "passed", results[name], name)
	}
	assert.Equal(t, "/srv/.env (MYSQL_PASSWORD)", a.Details["credentials"])
	manifest, err := json.Marshal(a)
	require.NoError(t, err)
	assert.NotContains(t, string(manifest), "geheim")
	assert.Empty(t, h.Warnings)
}

// TestDoubts: what is not known is not called proven.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		doubt func(*mysqldump.Report)
		proof string
		warns bool
	}{
		"unsafe":    {func(r *mysqldump.Report) { r.Unsafe = []string{"torrust_tracker.old (MyISAM)"} }, "snapshot", true},
		"snapshots": {func(r *mysqldump.Report) { r.Snapshots = 2 }, "snapshot", false},
		"unseen":    {func(r *mysqldump.Report) { r.Unseen = []string{"events"} }, "objects", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := report()
			c.doubt(&r)
			h := newHost(t, r)
			_, err := h.Run(t, Spec(), `{container: mysql, dest: mysql.sql}`)
			require.NoError(t, err)
			for _, p := range h.Finish(t).Manifest.Artifact("mysql.sql").Proofs {
				if p.Name == c.proof {
					assert.Equal(t, "unknown", p.Result)
				}
			}
			assert.Equal(t, c.warns, len(h.Warnings) > 0, h.Warnings)
		})
	}
}

// TestOtherBytes: what the client wrote is not what has left the host.
func TestOtherBytes(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(*mysqldump.Report){
		"fewer": func(r *mysqldump.Report) { r.Bytes-- },
		"none":  func(r *mysqldump.Report) { r.Digest = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := report()
			lie(&r)
			h := newHost(t, r)
			_, err := h.Run(t, Spec(), `{container: mysql, dest: mysql.sql}`)
			require.ErrorContains(t, err, "the client has written")

		})
	}
}

// TestRefusalsHaveAdvice: every refusal of a host says what to do.
func TestRefusalsHaveAdvice(t *testing.T) {
	t.Parallel()
	for code := range refusals {
		h := taskstest.New(t)
		h.Helper.Source = func(helper.Stage) ([]byte, any, error) {
			return nil, nil, &helper.Error{Code: code, Msg: "the host says no"}
		}
		_, err := h.Run(t, Spec(), `{container: mysql, dest: mysql.sql}`)
		require.ErrorContains(t, err, "the host says no", code)
		var hinter interface{ Hint() string }
		require.ErrorAs(t, err, &hinter, code)
		assert.Equal(t, refusals[code], hinter.Hint())

	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		`{container: a, service: b, dest: x}`:                          "container and service exclude each other",
		`{project_name: p, dest: x}`:                                   "project_name needs service",
		`{container: --privileged, dest: x}`:                           "cannot be called like an option",
		`{login_password: p, dest: x}`:                                 "login_password needs login_user",
		`{login_user: u, login_password: p, env_file: /.env, dest: x}`: "not both",
		`{env_file: .env, dest: x}`:                                    `".env" is not an absolute path`,
		`{login_port: 70000, dest: x}`:                                 "login_port is 70000",
		`{tables: [a], databases: [b, c], dest: x}`:                    "of one database only",
		`{tables: [a], exclude_tables: [b], dest: x}`:                  "exclude each other",
		`{stall_timeout: 0s, dest: x}`:                                 "must be more than nothing",
		`{where: {torrents: ""}, dest: x}`:                             "where.torrents must be a condition",
		`{where: {torrents: 1}, dest: x}`:                              "where.torrents must be a condition",
		`{options: [-f], dest: x}`:                                     "write its long form",
		`{options: [--force], dest: x}`:                                "--force cannot be used",
		`{options: [--password=p], dest: x}`:                           "cannot be used",
		`{options: [--skip-comments], dest: x}`:                        "the footer is a comment",
		`{non_transactional: ignore, dest: x}`:                         `cannot be "ignore"`,
		`{container: a}`:                                               `needs "dest"`,
		`{container: a, dest: ../x}`:                                   "x",
	} {
		assert.Contains(t, taskstest.Mistake(t, Spec(), args), want, args)
	}
	assert.NotContains(t, taskstest.Mistake(t, Spec(), `{login_password: geheim, dest: x}`), "geheim")
}
