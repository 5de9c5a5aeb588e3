// Package mysqldump owns a dump of a MySQL or MariaDB server, made by the
// server's own client, and all that proves it whole. It runs on the host, in
// the helper; the client runs in the server's container if there is one.
//
// It never knows what becomes of the bytes, nor the network.
//
// A client that has died, a server that has gone, a container engine that loses
// the end of what it carries: each of them can look like success. So a dump is
// accepted only if all of this holds:
//
//   - the client has ended with status 0, and so has the engine that ran it,
//   - it has written nothing with "error" in it to its standard error,
//   - the number of bytes and their digest, taken beside the client, within the
//     container, are those that have arrived here,
//   - each dump in the stream ends with its footer, the last one at the end,
//   - every table that the server had before is in it.
//
// The password reaches the client through its standard input, as an option
// file: it is in no argument, in no environment, and on no disk.
package mysqldump

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/torrust/runner/internal/container"
)

// Params say what to dump.
type Params struct {
	Engine    string          `json:"engine,omitempty"`    // docker, podman; empty: whichever there is
	Container container.Query `json:"container,omitzero"`  // empty: the client of the host itself
	Client    string          `json:"client,omitempty"`    // the program; empty: mariadb-dump or mysqldump
	Host      string          `json:"host,omitempty"`      // of the server; empty: by its socket
	Port      int             `json:"port,omitempty"`      //
	Socket    string          `json:"socket,omitempty"`    //
	User      string          `json:"user,omitempty"`      //
	Password  string          `json:"password,omitempty"`  //
	Given     bool            `json:"given,omitempty"`     // that password counts, even an empty one
	EnvFile   string          `json:"env_file,omitempty"`  // of the host; empty: that of the compose project, if any
	Secret    string          `json:"secret,omitempty"`    // a file of the host that holds the password
	Databases []string        `json:"databases,omitempty"` // empty: the one that the credentials come with

	Tables           []string          `json:"tables,omitempty"`  // of the only database; empty: all
	Exclude          []string          `json:"exclude,omitempty"` // TABLE or DATABASE.TABLE
	Where            map[string]string `json:"where,omitempty"`   // by table: which rows
	SchemaOnly       bool              `json:"schema_only,omitempty"`
	SchemaOnlyTables []string          `json:"schema_only_tables,omitempty"`
	Require          []string          `json:"require,omitempty"` // tables that must be there
	Options          []string          `json:"options,omitempty"` // further options of the client

	AllowNonTransactional bool          `json:"allow_non_transactional,omitempty"`
	Silence               time.Duration `json:"silence,omitempty"` // how long the dump may yield nothing
}

// Report says how the dump was made.
type Report struct {
	Server      string         `json:"server"` // "mysql 8.4.8"
	Client      string         `json:"client"` // what it says of its version
	Container   string         `json:"container,omitempty"`
	Image       string         `json:"image,omitempty"`
	ImageID     string         `json:"image_id,omitempty"`
	Credentials string         `json:"credentials"` // where they come from, never what they are
	User        string         `json:"user"`
	Databases   []string       `json:"databases"`
	Tables      map[string]any `json:"tables"` // database to list of names, of what is in the dump
	Rows        int64          `json:"rows_estimate"`
	Snapshots   int            `json:"snapshots"` // 1 unless tables are dumped by condition
	Bytes       int64          `json:"bytes"`     // beside the client
	Digest      string         `json:"digest"`    // beside the client: its kind, a colon, and lower-case hex
	Unseen      []string       `json:"unseen"`    // kinds of objects that the user has no right to see
	Unsafe      []string       `json:"unsafe"`    // tables of engines without transactions
	Notes       []string       `json:"notes"`     // what the operator should know
}

// Codes of failures.
const (
	CodeNoEngine     = "no_engine"     // neither Docker nor Podman
	CodeContainer    = "container"     // it is missing, or does not run
	CodeClient       = "no_client"     // no client there, or one that cannot be used
	CodeCredentials  = "credentials"   // none found, or they cannot be read
	CodeLogin        = "login"         // the server refuses them
	CodeServer       = "server"        // the server cannot be reached, or has gone
	CodeGrants       = "grants"        // the user may not read what is to be dumped
	CodeSchema       = "schema"        // no such database or table, or an empty one
	CodeUnsafe       = "unsafe_engine" // a table without transactions
	CodeDDL          = "ddl"           // a table was altered during the dump
	CodeClientFailed = "client_failed" // the client says that it has failed
	CodeCut          = "cut"           // a proof is missing: what has arrived is not all
	CodeSilent       = "silent"        // nothing has come for too long
	CodeForbidden    = "permission"    // of the helper's common codes
	CodeInvalid      = "invalid"       // likewise
)

// Error is a refusal or a failure.
type Error struct {
	Code string
	Msg  string
}

// Error implements error.
func (e *Error) Error() string { return e.Msg }

func fail(code, format string, args ...any) *Error { return &Error{code, fmt.Sprintf(format, args...)} }

// Source writes the dump to w. It returns a report only of a dump that has
// passed every proof; until then what went to w is worth nothing. When ctx
// ends, the client is ended, too, in its container as well.
func Source(ctx context.Context, p Params, w io.Writer) (Report, error) {
	site, err := locate(ctx, p)
	if err != nil {
		return Report{}, err
	}
	login, notes, err := findLogin(ctx, p, site)
	if err != nil {
		return Report{}, err
	}
	databases := p.Databases
	if len(databases) == 0 && login.database != "" {
		databases = []string{login.database}
	}
	if len(databases) == 0 {
		return Report{}, fail(CodeSchema, "no database is given, and %s names none", login.source)
	}
	state, err := look(ctx, site, login, p.Client, databases)
	if err != nil {
		return Report{}, err
	}
	job, err := plan(p, databases, state)
	if err != nil {
		return Report{}, err
	}
	scan := newScanner(w, state.digest.new())
	told, err := run(ctx, site, login, dumpScript(job.commands, state.digest), p.Silence, scan)
	if err != nil {
		return Report{}, err
	}
	if err := prove(told, scan, job, login); err != nil {
		return Report{}, err
	}
	return Report{
		Server: state.vendor + " " + state.version, Client: state.client, Container: site.name, Image: site.image, ImageID: site.imageID,
		Credentials: login.source, User: state.user, Databases: databases, Tables: job.tables(), Rows: job.rows,
		Snapshots: len(job.commands), Bytes: scan.bytes, Digest: state.digest.name + ":" + scan.sum(),
		Unseen: state.unseen(databases), Unsafe: job.unsafe, Notes: append(notes, told.notes...),
	}, nil
}

// prove compares what the client's side says with what has arrived.
func prove(told told, scan *scanner, job job, login login) error {
	if err := told.failure(login); err != nil {
		return err
	}
	switch {
	case told.bytes != scan.bytes:
		return fail(CodeCut, "the client has written %d bytes, %d have arrived: what carries them has lost or added some", told.bytes, scan.bytes)
	case told.digest != scan.sum():
		return fail(CodeCut, "what has arrived is not what the client has written (digest %.12s…, not %.12s…)", scan.sum(), told.digest)
	}
	if err := scan.whole(len(job.commands)); err != nil {
		return err
	}
	var missing []string
	for _, t := range job.wanted {
		if !scan.has(t) {
			missing = append(missing, t.String())
		}
	}
	if missing != nil {
		return fail(CodeDDL, "the dump lacks %s, which the server had before: was a table dropped or renamed meanwhile?", strings.Join(missing, ", "))
	}
	return nil
}
