package mysqldump

import (
	"regexp"
	"slices"
	"strings"
)

// grant is one line of SHOW GRANTS that is about all databases, one, or one
// table.
type grant struct {
	privileges []string // upper case; "ALL PRIVILEGES"
	database   string   // "*", or a pattern of LIKE
	table      string   // "*", or a name
}

var grantLine = regexp.MustCompile("^GRANT (.+?) ON (\\*|`(?:[^`]|``)*`)\\.(\\*|`(?:[^`]|``)*`) TO ")

// parseGrant reads a line of SHOW GRANTS; ok is false for roles and routines.
func parseGrant(line string) (g grant, ok bool) {
	m := grantLine.FindStringSubmatch(line)
	if m == nil {
		return grant{}, false
	}
	for _, p := range strings.Split(m[1], ",") {
		p, _, _ = strings.Cut(p, "(") // SELECT (column): less than the privilege
		g.privileges = append(g.privileges, strings.ToUpper(strings.TrimSpace(p)))
	}
	name := func(s string) string {
		if s == "*" {
			return s
		}
		return identifier(s)
	}
	g.database, g.table = name(m[2]), name(m[3])
	return g, true
}

// covers tells whether the grant is about all of a database.
func (g grant) covers(database string) bool {
	return g.table == "*" && (g.database == "*" || like(g.database, database))
}

// like compares with a pattern of LIKE, as the server does for databases.
func like(pattern, s string) bool {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	re, err := regexp.Compile("(?s)" + b.String() + "$")
	return err == nil && re.MatchString(s)
}

func (st state) may(privilege, database string) bool {
	return slices.ContainsFunc(st.grants, func(g grant) bool {
		return g.covers(database) && (slices.Contains(g.privileges, privilege) || slices.Contains(g.privileges, "ALL PRIVILEGES") || slices.Contains(g.privileges, "ALL"))
	})
}

// everywhere tells whether a privilege is given on all databases.
func (st state) everywhere(privilege string) bool {
	return slices.ContainsFunc(st.grants, func(g grant) bool {
		return g.database == "*" && g.table == "*" && (slices.Contains(g.privileges, privilege) || slices.Contains(g.privileges, "ALL PRIVILEGES"))
	})
}

// unseen returns the kinds of objects that the user has no right to see in
// some database: they would be missing in the dump without a word. Privileges
// that come by a role are not looked up, so this may be too cautious.
func (st state) unseen(databases []string) []string {
	out := []string{}
	for _, d := range databases {
		for _, kind := range []struct {
			name string
			may  bool
		}{
			{"triggers", st.may("TRIGGER", d)},
			{"events", st.may("EVENT", d)},
			{"routines", st.everywhere("SELECT") || st.everywhere("SHOW_ROUTINE") || st.may("ALTER ROUTINE", d) || st.may("EXECUTE", d) || st.may("SHOW CREATE ROUTINE", d)},
		} {
			if !kind.may && !slices.Contains(out, kind.name) {
				out = append(out, kind.name)
			}
		}
	}
	return out
}
