// Package mysqldump owns the task kind mysqldump: a dump of a MySQL or MariaDB
// server by its own client, proven.
//
// It never knows how the dump is made; see the package of the same name in
// internal.
package mysqldump

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/torrust/runner/internal/catalog"
	"github.com/torrust/runner/internal/conn"
	"github.com/torrust/runner/internal/container"
	"github.com/torrust/runner/internal/helper"
	"github.com/torrust/runner/internal/mysqldump"
	"github.com/torrust/runner/internal/pipe"
	"github.com/torrust/runner/internal/tasks"
	"github.com/torrust/runner/internal/tasks/internal/ends"
)

// Spec declares the kind.
func Spec() tasks.Spec {
	return tasks.Spec{
		Name: "mysqldump", Aliases: []string{"mariadb_dump"}, Summary: "Dumps a MySQL or MariaDB server with its own client, and proves the dump whole.",
		New: func() tasks.Task { return &task{} }, Doc: doc,
	}
}

const doc = "A source of a pipe. The client of the server's own image runs in the server's container (`container`, or `service` of a\n" +
	"compose project; Docker or Podman), or on the host if neither is given. Tables are read in one snapshot, without locks:\n" +
	"the server's users notice nothing.\n\n" +
	"**Credentials** are looked for in this order: what is given here, the environment file (`env_file`, else `.env` of the\n" +
	"container's compose project), secret files (`password_file`, else what `MYSQL_PASSWORD_FILE` names in the container), the\n" +
	"environment of the container. In an environment file `MYSQL_USER` and `MYSQL_PASSWORD` count, `MARIADB_…` likewise, then\n" +
	"the tracker's connection string, then root. The first that has a password is used; if the server refuses it the message\n" +
	"says where it came from, and nothing else is tried. On a host without a container the client's own option files count\n" +
	"last. The password travels on standard input only: it is in no argument, in no environment and on no disk.\n\n" +
	"**A dump is kept only if** the client has ended with status 0, has reported no error, has ended the dump with its footer;\n" +
	"if number and digest of the bytes that it wrote, taken beside it in the container, are those that arrived here; and if\n" +
	"every table that the server had before is in it. A dump that is cut at any byte is refused.\n\n" +
	"Refused are also: tables of engines without transactions, such as MyISAM, for which a snapshot does not hold\n" +
	"(`non_transactional: warn` takes them nevertheless); a client of another vendor than the server; a container that is\n" +
	"missing, paused or stopped; an empty database. What the user has no right to see (triggers, events, routines) is a\n" +
	"warning, and an unknown proof in the manifest; the least rights for all of a database are\n" +
	"`SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE`.\n\n" +
	"`where` leaves rows out. The client knows only one condition for all tables, so each table with a condition, and each of\n" +
	"`schema_only_tables`, is dumped by a command of its own, after the others and with a snapshot of its own.\n\n" +
	"A dump of one database restores into any database: `gunzip -c mysql.sql.gz | mysql NAME`.\n\n" +
	"Alone it is the pipe `mysqldump`, `gzip` if `dest` ends with `.gz`, `fetch`.\n\n" +
	"Details in the manifest and in `details`: `server`, `client`, `container`, `image`, `image_id`, `credentials` (their place),\n" +
	"`user`, `databases`, `tables`, `rows_estimate`, `snapshots`, `bytes`, `digest`, `unseen`, `unsafe`.\n\n" +
	"```yaml\n" +
	"- pipe:\n" +
	"    - mysqldump:\n" +
	"        service: mysql\n" +
	"        require: [torrents, whitelist, keys]\n" +
	"        where: { torrents: completed > 0 }\n" +
	"    - gzip:\n" +
	"    - verify_size: { min: 1KiB }\n" +
	"    - fetch: { dest: mysql.sql.gz }\n" +
	"```\n"

type task struct {
	Container string `arg:"container" doc:"the server's container, by name or ID"`
	Service   string `arg:"service" doc:"the server's service in a compose project, in place of container"`
	Project   string `arg:"project_name" doc:"that project, if several have such a service"`
	Engine    string `arg:"engine" default:"auto" choices:"auto,docker,podman" doc:"what runs the container"`
	Client    string `arg:"client" doc:"the program that dumps; mariadb-dump or mysqldump if not given"`

	User     string `arg:"login_user" alias:"user" doc:"as whom to log in to the server"`
	Password string `arg:"login_password" alias:"password" secret:"true" doc:"that user's password"`
	EnvFile  string `arg:"env_file" doc:"an environment file of the host with the credentials"`
	Secret   string `arg:"password_file" doc:"a file of the host that holds the password alone"`
	Host     string `arg:"login_host" alias:"host" doc:"the server's address as the client sees it; its socket if not given"`
	Port     int    `arg:"login_port" alias:"port" doc:"the server's port"`
	Socket   string `arg:"login_unix_socket" alias:"socket" doc:"the server's socket, if it is not where the client looks"`

	Databases  []string          `arg:"databases" alias:"database,name" doc:"what to dump; the one that the credentials come with if not given"`
	Tables     []string          `arg:"tables" doc:"only these tables of the only database"`
	Exclude    []string          `arg:"exclude_tables" doc:"leave these out: TABLE or DATABASE.TABLE"`
	Where      map[string]any    `arg:"where" doc:"a mapping from a table to the condition for its rows"`
	Schema     bool              `arg:"schema_only" doc:"no rows at all"`
	SchemaOnly []string          `arg:"schema_only_tables" doc:"no rows of these tables"`
	Require    []string          `arg:"require" doc:"refuse a dump without these tables"`
	Options    []string          `arg:"options" doc:"further options of the client, such as --skip-extended-insert"`
	Unsafe     string            `arg:"non_transactional" default:"refuse" choices:"refuse,warn" doc:"what to do about tables for which a snapshot does not hold"`
	Silence    time.Duration     `arg:"stall_timeout" default:"5m" doc:"give up when nothing has come for so long"`
	Dest       string            `arg:"dest,required" use:"alone" doc:"the name of the dump within the backup set"`
	where      map[string]string // Where, as text
}

var (
	_ pipe.HostSource = (*task)(nil)
	_ pipe.Looker     = (*task)(nil)
	_ tasks.Checker   = (*task)(nil)
	_ tasks.Validator = (*task)(nil)
)

// unfit are options with which a dump cannot be proven or which give a secret
// away, and what to say about them. A name stands for all that begins with it.
var unfit = []struct{ option, why string }{
	{"--password", "give login_password, or leave the credentials to be found"},
	{"--force", "a dump that goes on after an error is not whole"},
	{"--result-file", "the dump must come on standard output"},
	{"--tab", "the dump must come on standard output"},
	{"--skip-comments", "the footer is a comment"},
	{"--comments=0", "the footer is a comment"},
	{"--compact", "the footer is a comment"},
	{"--xml", "only SQL can be proven"},
	{"--no-create-info", "without its definition a table cannot be seen in the dump"},
	{"--all-databases", "give databases"},
	{"--databases", "give databases"},
	{"--where", "give where"},
	{"--no-data", "give schema_only"},
	{"--ignore-table", "give exclude_tables"},
	{"--defaults", "give login_user, or leave the credentials to be found"},
	{"--login-path", "give login_user, or leave the credentials to be found"},
	{"--flush-logs", "a backup must not change the server"},
	{"--delete-", "a backup must not change the server"},
	{"--lock-", "a backup must not lock the server"},
	{"--skip-single-transaction", "without a snapshot the tables do not fit together"},
	{"--single-transaction=", "without a snapshot the tables do not fit together"},
	{"--skip-opt", "the dump would be held in memory"},
	{"--skip-quick", "the dump would be held in memory"},
}

// Validate implements tasks.Validator.
func (t *task) Validate() error {
	if t.Dest != "" {
		if err := catalog.CheckName(t.Dest); err != nil {
			return err
		}
	}
	switch {
	case t.Container != "" && t.Service != "":
		return errors.New("container and service exclude each other")
	case t.Project != "" && t.Service == "":
		return errors.New("project_name needs service")
	case strings.HasPrefix(t.Container, "-") || strings.HasPrefix(t.Service, "-"):
		return errors.New("a container cannot be called like an option")
	case t.Password != "" && t.User == "":
		return errors.New("login_password needs login_user")
	case t.Password != "" && (t.EnvFile != "" || t.Secret != ""):
		return errors.New("give login_password, or a file to take it from, not both")
	case t.Port < 0 || t.Port > 65535:
		return fmt.Errorf("login_port is %d", t.Port)
	case len(t.Tables) > 0 && len(t.Databases) > 1:
		return errors.New("tables can be chosen of one database only")
	case len(t.Tables) > 0 && len(t.Exclude) > 0:
		return errors.New("tables and exclude_tables exclude each other")
	case t.Silence <= 0:
		return errors.New("stall_timeout must be more than nothing")
	}
	for _, path := range []string{t.EnvFile, t.Secret} {
		if path != "" && !strings.HasPrefix(path, "/") {
			return fmt.Errorf("%q is not an absolute path", path)
		}
	}
	for _, o := range t.Options {
		if !strings.HasPrefix(o, "--") || o == "--" {
			return fmt.Errorf("%q cannot be an option: write its long form, --NAME or --NAME=VALUE", o)
		}
		for _, u := range unfit {
			if strings.HasPrefix(o, u.option) {
				return fmt.Errorf("the option %s cannot be used: %s", o, u.why)
			}
		}
	}
	t.where = map[string]string{}
	for name, v := range t.Where {
		condition, ok := v.(string)
		if !ok || strings.TrimSpace(condition) == "" {
			return fmt.Errorf("where.%s must be a condition of SQL", name)
		}
		t.where[name] = condition
	}
	return nil
}

func (t *task) query() container.Query {
	return container.Query{Name: t.Container, Service: t.Service, Project: t.Project}
}

// Origin implements pipe.HostSource.
func (t *task) Origin() string {
	what := "the databases that the credentials come with"
	if len(t.Databases) > 0 {
		what = strings.Join(t.Databases, " ")
	}
	if t.query() == (container.Query{}) {
		return what
	}
	return t.query().String() + ": " + what
}

// Look implements pipe.Looker: it tells whether the container runs.
func (t *task) Look(ctx context.Context, h tasks.Host) error {
	if t.query() == (container.Query{}) {
		return nil
	}
	const script = `e=$1
[ "$e" != auto ] || for e in docker podman; do command -v $e >/dev/null && break; done
exec "$e" ps --format '{{.Names}} {{.ID}}' $2`
	filter := "--filter=name=" + t.Container
	if t.Service != "" {
		filter = "--filter=label=com.docker.compose.service=" + t.Service
	}
	var out strings.Builder
	if err := h.Conn.Run(ctx, conn.Cmd{Argv: append(conn.Shell(script), "sh", t.Engine, filter), Stdout: &out}); err != nil {
		return err
	}
	if strings.TrimSpace(out.String()) == "" {
		return fmt.Errorf("%s does not run", t.query())
	}
	return nil
}

// HostStage implements pipe.HostSource.
func (t *task) HostStage(context.Context, tasks.Host) (helper.Stage, error) {
	engine := t.Engine
	if engine == "auto" {
		engine = ""
	}
	return helper.Stage{Name: "mysqldump", Params: mysqldump.Params{
		Engine: engine, Container: t.query(), Client: t.Client, Host: t.Host, Port: t.Port, Socket: t.Socket,
		User: t.User, Password: t.Password, Given: t.Password != "", EnvFile: t.EnvFile, Secret: t.Secret,
		Databases: t.Databases, Tables: t.Tables, Exclude: t.Exclude, Where: t.where, SchemaOnly: t.Schema, SchemaOnlyTables: t.SchemaOnly,
		Require: t.Require, Options: t.Options, AllowNonTransactional: t.Unsafe == "warn", Silence: t.Silence,
	}}, nil
}

// Explain implements pipe.Explainer.
func (t *task) Explain(err error) error { return refusals.Explain(err) }

// Accept implements pipe.HostSource.
func (t *task) Accept(_ context.Context, h tasks.Host, report json.RawMessage, m helper.Measure) (pipe.Outcome, error) {
	var r mysqldump.Report
	details := map[string]any{}
	if err := errors.Join(json.Unmarshal(report, &r), json.Unmarshal(report, &details)); err != nil {
		return pipe.Outcome{}, fmt.Errorf("the host's report: %w", err)
	}
	if r.Bytes != m.Bytes || r.Digest == "" {
		return pipe.Outcome{}, fmt.Errorf("the client has written %d bytes (digest %.24q), the helper has passed %d on", r.Bytes, r.Digest, m.Bytes)
	}
	for _, note := range r.Notes {
		h.Warn(note)
	}
	delete(details, "notes")
	proofs := []catalog.Proof{
		{Name: "exit_status", Result: catalog.Passed, Detail: "0, and no error reported"},
		{Name: "footer", Result: catalog.Passed},
		{Name: "client_digest", Result: catalog.Passed, Detail: fmt.Sprintf("%d bytes and their digest agree with what the client wrote", r.Bytes)},
		{Name: "tables", Result: catalog.Passed, Detail: fmt.Sprintf("%d, as the server has", count(r.Tables))},
	}
	snapshot := catalog.Proof{Name: "snapshot", Result: catalog.Passed, Detail: "all tables as of one moment"}
	switch {
	case len(r.Unsafe) > 0:
		snapshot.Result, snapshot.Detail = catalog.Unknown, "no snapshot holds for "+strings.Join(r.Unsafe, ", ")
		h.Warn(snapshot.Detail)
	case r.Snapshots > 1:
		snapshot.Result, snapshot.Detail = catalog.Unknown, fmt.Sprintf("%d snapshots, one after the other: tables with a condition have their own", r.Snapshots)
	}
	objects := catalog.Proof{Name: "objects", Result: catalog.Passed, Detail: "triggers, events and routines included"}
	switch {
	case len(t.Tables) > 0:
		objects.Detail = "only tables were asked for"
	case len(r.Unseen) > 0:
		objects.Result = catalog.Unknown
		objects.Detail = fmt.Sprintf("the user %s has no right to see %s; if there are any they are not in the dump", r.User, strings.Join(r.Unseen, ", "))
		h.Warn(objects.Detail)
	}
	return pipe.Outcome{Method: "mysqldump", Proofs: append(proofs, snapshot, objects), Details: details}, nil
}

func count(tables map[string]any) int {
	n := 0
	for _, list := range tables {
		names, _ := list.([]any)
		n += len(names)
	}
	return n
}

func (t *task) alone() ends.Alone { return ends.Alone{Kind: "mysqldump", Source: t, Dest: t.Dest} }

// Run implements tasks.Task.
func (t *task) Run(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.alone().Run(ctx, h)
}

// Check implements tasks.Checker.
func (t *task) Check(ctx context.Context, h tasks.Host) (tasks.Result, error) {
	return t.alone().Check(ctx, h)
}
