package mysqldump

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// state is what a server and its client say before a dump.
type state struct {
	program string          // the client
	digest  digest          // what can be made beside the server
	client  string          // its version, as it says
	has     map[string]bool // the options that only some have
	vendor  string          // of the server: "mysql", "mariadb"
	version string
	user    string
	grants  []grant
	schemas []string
	tables  []tableInfo
}

type tableInfo struct {
	table
	view   bool
	engine string
	rows   int64 // as the server estimates
}

// transactional are the engines for which one snapshot holds good.
var transactional = []string{"innodb", "rocksdb", "tokudb", "xtradb", "ndbcluster"}

func (t tableInfo) transactional() bool {
	return t.view || slices.Contains(transactional, strings.ToLower(t.engine))
}

// lookPatience is how long the server may take to say what it has. The
// information schema of a server with many tables is slow.
const lookPatience = 2 * time.Minute

// look asks the server. A server that cannot be reached, and a login that it
// does not take, are found here.
func look(ctx context.Context, s site, l login, client string, databases []string) (state, error) {
	list := make([]string, len(databases))
	for i, d := range databases {
		list[i] = sqlText(d)
	}
	const special = `'information_schema','performance_schema','sys'`
	statements := []string{
		`SELECT VERSION(), @@version_comment, CURRENT_USER()`,
		`SHOW GRANTS`,
		`SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN (` + special + `)`,
		`SELECT table_schema, table_name, table_type, COALESCE(engine,''), COALESCE(table_rows,0) FROM information_schema.tables` +
			` WHERE table_schema IN (` + strings.Join(list, ",") + `) ORDER BY 1, 2`,
	}
	var out lines
	told, err := run(ctx, s, l, lookScript(client, statements), lookPatience, &out)
	if err != nil {
		return state{}, err
	}
	if err := told.failure(l); err != nil {
		return state{}, err
	}
	return readState(told.mark, out.text(), len(statements))
}

// readState reads what lookScript prints.
func readState(mark, text string, answers int) (state, error) {
	st := state{has: map[string]bool{}}
	at := -1
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if fact, ours := strings.CutPrefix(line, mark+" "); ours {
			name, value, _ := strings.Cut(fact, " ")
			switch name {
			case "client":
				st.program = value
			case "version":
				st.client = value
			case "digest":
				d, ok := digestBy(value)
				if !ok {
					return state{}, fail(CodeClient, "the digest %.60q was not asked for", value)
				}
				st.digest = d
			case "has":
				st.has[value] = true
			case "answer":
				at++
			}
			continue
		}
		fields := strings.Split(line, "\t")
		for i, f := range fields {
			fields[i] = unescape.Replace(f)
		}
		switch {
		case at == 0 && len(fields) == 3:
			st.vendor, st.version = vendor(fields[0] + " " + fields[1])
			st.user = fields[2]
		case at == 1:
			if g, ok := parseGrant(fields[0]); ok {
				st.grants = append(st.grants, g)
			}
		case at == 2:
			st.schemas = append(st.schemas, fields[0])
		case at == 3 && len(fields) == 5:
			rows, err := strconv.ParseInt(fields[4], 10, 64)
			if err != nil {
				return state{}, fail(CodeServer, "the server gives %.60q for a number of rows", fields[4])
			}
			st.tables = append(st.tables, tableInfo{table{fields[0], fields[1]}, strings.Contains(fields[2], "VIEW"), fields[3], rows})
		default:
			return state{}, fail(CodeServer, "the server's answer %d cannot be read: %.80q", at+1, line)
		}
	}
	if at != answers-1 || st.version == "" || st.digest.new == nil {
		return state{}, fail(CodeServer, "the server has given %d of %d answers", at+1, answers)
	}
	return st, nil
}

// vendor reads what a server says of itself.
func vendor(text string) (name, version string) {
	version, _, _ = strings.Cut(text, " ")
	if strings.Contains(strings.ToLower(text), "mariadb") {
		version, _, _ = strings.Cut(version, "-")
		return "mariadb", version
	}
	return "mysql", version
}

// clientVendor reads what a client says of its version.
func (st state) clientVendor() string {
	if strings.Contains(st.client, "MariaDB") {
		return "mariadb"
	}
	return "mysql"
}

// unescape undoes what the client does to values in batch mode.
var unescape = strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\0`, "\x00", `\\`, `\`)

// sqlText returns a string of SQL. It is put through a shell in quotes.
func sqlText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}
