package mysqldump

import (
	"slices"
	"strings"
)

// job is what the clients are to do, and what must come of it.
type job struct {
	commands [][]string
	wanted   []table
	unsafe   []string // tables of engines without transactions; never nil
	rows     int64    // estimate
}

// plan decides which commands make the dump. There is one, unless rows of
// tables are chosen by a condition: the client has one condition for all tables.
// Each command reads in a snapshot of its own.
func plan(p Params, databases []string, st state) (job, error) {
	if err := fits(p, databases, st); err != nil {
		return job{}, err
	}
	j := job{unsafe: []string{}}
	data, schema := map[string][]string{}, []table{}
	var conditional []table
	excluded := []table{}
	for _, t := range st.tables {
		switch {
		case len(p.Tables) > 0 && !slices.Contains(p.Tables, t.name):
			continue
		case named(p.Exclude, t.table):
			excluded = append(excluded, t.table)
			continue
		}
		if !t.view {
			j.wanted = append(j.wanted, t.table)
		}
		only := p.SchemaOnly || named(p.SchemaOnlyTables, t.table)
		if !only && !t.transactional() {
			j.unsafe = append(j.unsafe, t.String()+" ("+t.engine+")")
		}
		_, conditioned := condition(p.Where, t.table)
		switch {
		case only && !p.SchemaOnly:
			schema = append(schema, t.table)
		case conditioned && !p.SchemaOnly:
			conditional = append(conditional, t.table)
		default:
			data[t.database] = append(data[t.database], t.name)
		}
		if !only {
			j.rows += t.rows
		}
	}
	if len(j.wanted) == 0 {
		return job{}, fail(CodeSchema, "nothing to dump: %s", strings.Join(databases, ", ")+" has no table that was asked for")
	}
	if len(j.unsafe) > 0 && !p.AllowNonTransactional {
		return job{}, fail(CodeUnsafe, "a snapshot does not hold for %s: writes during the dump would tear it", strings.Join(j.unsafe, ", "))
	}
	common := options(p, st)
	if p.SchemaOnly {
		common = append(common, "--no-data")
	}
	apart := slices.Concat(excluded, schema, conditional)
	if main := commonDump(p, databases, data, apart); main != nil {
		j.commands = append(j.commands, slices.Concat([]string{st.program}, common, main))
	}
	// Routines and events come with the first command; these are only tables.
	alone := slices.DeleteFunc(slices.Clone(common), func(o string) bool { return o == "--routines" || o == "--events" })
	for _, t := range schema {
		j.commands = append(j.commands, slices.Concat([]string{st.program}, alone, []string{"--no-data", "--", t.database, t.name}))
	}
	for _, t := range conditional {
		where, _ := condition(p.Where, t)
		j.commands = append(j.commands, slices.Concat([]string{st.program}, alone, []string{"--where=" + where, "--", t.database, t.name}))
	}
	return j, nil
}

// commonDump returns the arguments that name what the first command dumps: all
// of the databases but what is dumped apart or not at all. It is nil if that is
// nothing.
func commonDump(p Params, databases []string, data map[string][]string, apart []table) []string {
	if len(data) == 0 {
		return nil
	}
	if len(p.Tables) > 0 {
		return append([]string{"--", databases[0]}, data[databases[0]]...)
	}
	var args []string
	for _, t := range apart {
		args = append(args, "--ignore-table="+t.String())
	}
	if len(databases) > 1 {
		args = append(args, "--databases")
	}
	return append(append(args, "--"), databases...)
}

// options returns those that every dump is made with.
func options(p Params, st state) []string {
	args := []string{
		"--single-transaction", "--quick", "--skip-lock-tables", // one snapshot, row by row, no lock
		"--no-tablespaces",         // would need the privilege PROCESS
		"--triggers", "--hex-blob", // all, and through any text layer
		"--default-character-set=utf8mb4", // whatever the locale is
		"--max-allowed-packet=1G",
		"--skip-dump-date", // the same content gives the same bytes
	}
	if len(p.Tables) == 0 {
		args = append(args, "--routines", "--events")
	}
	if st.has["set-gtid-purged"] {
		args = append(args, "--set-gtid-purged=OFF") // would need RELOAD; only a replica wants it
	}
	if st.has["column-statistics"] {
		args = append(args, "--column-statistics=0")
	}
	if st.has["masking-policies"] && !st.everywhere("SELECT") {
		args = append(args, "--skip-masking-policies") // would need to read the schema mysql
	}
	if st.has["init-command"] && !st.has["network-timeout"] {
		// Else a link that stands still for a minute ends the dump with error 2013.
		args = append(args, "--init-command=SET SESSION net_write_timeout=86400, net_read_timeout=86400")
	}
	return append(args, p.Options...)
}

// fits compares what is asked for with what the server has.
func fits(p Params, databases []string, st state) error {
	if st.clientVendor() != st.vendor {
		return fail(CodeClient, "the server is %s %s, but %s is that of another vendor (%s): its dumps of this server are not reliable",
			st.vendor, st.version, st.program, st.client)
	}
	for _, d := range databases {
		if slices.Contains(st.schemas, d) {
			continue
		}
		there := "it sees none"
		if len(st.schemas) > 0 {
			there = "it sees " + strings.Join(st.schemas, ", ")
		}
		return fail(CodeSchema, "there is no database %s, or the user %s may not see it; %s", d, st.user, there)
	}
	if len(p.Tables) > 0 && len(databases) != 1 {
		return fail(CodeInvalid, "tables can be chosen of one database only, these are %d", len(databases))
	}
	for _, name := range slices.Concat(p.Tables, p.Require, p.SchemaOnlyTables, keys(p.Where)) {
		if !slices.ContainsFunc(st.tables, func(t tableInfo) bool { return names(name, t.table) }) {
			return fail(CodeSchema, "there is no table %s in %s", name, strings.Join(databases, ", "))
		}
	}
	for _, name := range p.Require {
		if named(p.Exclude, parse(name, databases[0])) {
			return fail(CodeInvalid, "the table %s is both required and excluded", name)
		}
	}
	return nil
}

// names tells whether TABLE or DATABASE.TABLE means a table.
func names(name string, t table) bool { return name == t.name || name == t.String() }

func named(list []string, t table) bool {
	return slices.ContainsFunc(list, func(name string) bool { return names(name, t) })
}

func parse(name, database string) table {
	if d, n, ok := strings.Cut(name, "."); ok {
		return table{d, n}
	}
	return table{database, name}
}

func condition(where map[string]string, t table) (string, bool) {
	if c, ok := where[t.String()]; ok {
		return c, true
	}
	c, ok := where[t.name]
	return c, ok
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// tables returns the names that are in the dump, by database.
func (j job) tables() map[string]any {
	out := map[string]any{}
	for _, t := range j.wanted {
		list, _ := out[t.database].([]any)
		out[t.database] = append(list, t.name)
	}
	return out
}
