package mysqldump

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/torrust/runner/internal/compose"
)

// login is how the client presents itself. Without a user the client's own
// option files decide.
type login struct {
	user, password string
	database       string // that the source names
	source         string // for people: "/opt/torrust/.env (MYSQL_PASSWORD)"
	host, socket   string
	port           int
}

// findLogin looks for credentials, in this order: what is given, the
// environment file, a secret file, the environment of the container. The
// first that has a password for the user wins, and a wrong one is not made
// good by the next: it would hide that a configuration is stale.
func findLogin(ctx context.Context, p Params, s site) (login, []string, error) {
	l, notes, err := credentials(ctx, p, s)
	l.host, l.port, l.socket = p.Host, p.Port, p.Socket
	return l, notes, err
}

func credentials(ctx context.Context, p Params, s site) (login, []string, error) {
	if p.Given {
		return login{user: p.User, password: p.Password, source: "the playbook"}, nil, nil
	}
	path := p.EnvFile
	if path == "" && p.Secret == "" {
		path = s.envFile()
	}
	var notes []string
	if path != "" {
		vars, err := compose.ReadEnv(path)
		switch {
		case errors.Is(err, fs.ErrPermission) && p.EnvFile == "":
			notes = append(notes, "may not read "+path+", so the credentials are not taken from there")
		case err != nil:
			return login{}, nil, credentialsError(err)
		default:
			if l, ok := pick(vars, p.User, path); ok {
				return l, nil, nil
			}
		}
	}
	if p.Secret != "" {
		password, err := readSecret(p.Secret)
		if err != nil {
			return login{}, nil, credentialsError(err)
		}
		l := login{user: p.User, password: password, source: p.Secret}
		if l.user == "" {
			l.user = first(s.env, "MYSQL_USER", "MARIADB_USER")
		}
		if l.user == "" {
			return login{}, nil, fail(CodeCredentials, "%s holds a password, but no user is given", p.Secret)
		}
		l.database = first(s.env, "MYSQL_DATABASE", "MARIADB_DATABASE")
		return l, notes, nil
	}
	if l, ok, err := containerSecret(ctx, p.User, s); ok || err != nil {
		return l, notes, err
	}
	if l, ok := pick(s.env, p.User, "the environment of the container "+s.name); ok {
		return l, notes, nil
	}
	if s.name == "" && p.EnvFile == "" {
		return login{user: p.User, source: "the client's own option files"}, notes, nil
	}
	looked := "the environment of the container " + s.name
	if path != "" {
		looked = path + " and " + looked
	}
	who := "any user"
	if p.User != "" {
		who = "the user " + p.User
	}
	return login{}, nil, fail(CodeCredentials, "no password for %s in %s", who, strings.TrimSuffix(looked, " and the environment of the container "))
}

func credentialsError(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &Error{CodeForbidden, err.Error()}
	}
	return &Error{CodeCredentials, err.Error()}
}

// dsnNames are variables that hold a whole connection string, as the tracker
// reads it.
var dsnNames = []string{"TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__PATH", "DATABASE_URL"}

// containerSecret reads the file that MYSQL_PASSWORD_FILE names in the
// container, as the official images do: secrets of compose come that way.
func containerSecret(ctx context.Context, user string, s site) (login, bool, error) {
	for _, vendor := range []string{"MYSQL", "MARIADB"} {
		l := login{user: s.env[vendor+"_USER"], database: s.env[vendor+"_DATABASE"]}
		variable := vendor + "_PASSWORD_FILE"
		if user == "root" || l.user == "" {
			l.user, variable = "root", vendor+"_ROOT_PASSWORD_FILE"
		}
		path := s.env[variable]
		if path == "" || user != "" && user != l.user {
			continue
		}
		out, err := s.output(ctx, "cat", path)
		if err != nil {
			return login{}, false, fail(CodeCredentials, "%s of the container %s (%s): %v", path, s.name, variable, err)
		}
		l.password, err = onlyPassword(path, out)
		if err != nil {
			return login{}, false, credentialsError(err)
		}
		l.source = fmt.Sprintf("%s of the container %s (%s)", path, s.name, variable)
		return l, true, nil
	}
	return login{}, false, nil
}

// pick finds the password of a user in variables, of anybody if none is named.
func pick(vars map[string]string, user, where string) (login, bool) {
	database := first(vars, "MYSQL_DATABASE", "MARIADB_DATABASE")
	for _, vendor := range []string{"MYSQL", "MARIADB"} {
		name, password := vars[vendor+"_USER"], vendor+"_PASSWORD"
		if name != "" && (user == "" || user == name) && vars[password] != "" {
			return login{user: name, password: vars[password], database: database, source: where + " (" + password + ")"}, true
		}
		if root := vendor + "_ROOT_PASSWORD"; user == "root" && vars[root] != "" {
			return login{user: "root", password: vars[root], database: database, source: where + " (" + root + ")"}, true
		}
	}
	for _, name := range dsnNames {
		if l, ok := parseDSN(vars[name]); ok && (user == "" || user == l.user) {
			l.source = where + " (" + name + ")"
			return l, true
		}
	}
	// Without a user of its own a server has at least root.
	for _, vendor := range []string{"MYSQL", "MARIADB"} {
		if root := vendor + "_ROOT_PASSWORD"; user == "" && vars[root] != "" {
			return login{user: "root", password: vars[root], database: database, source: where + " (" + root + ")"}, true
		}
	}
	return login{}, false
}

// parseDSN reads mysql://user:password@host:port/database, with the percent
// encoding of a URL.
func parseDSN(text string) (login, bool) {
	u, err := url.Parse(text)
	if err != nil || u.User == nil || (u.Scheme != "mysql" && u.Scheme != "mariadb") {
		return login{}, false
	}
	password, ok := u.User.Password()
	return login{user: u.User.Username(), password: password, database: strings.TrimPrefix(u.Path, "/")}, ok
}

func first(vars map[string]string, names ...string) string {
	for _, n := range names {
		if vars[n] != "" {
			return vars[n]
		}
	}
	return ""
}

// maxSecret is more than any password has.
const maxSecret = 4096

// readSecret reads a file that holds nothing but a password. The end of its
// line is not a part of it, as the official images have it.
func readSecret(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return onlyPassword(path, data)
}

func onlyPassword(path string, data []byte) (string, error) {
	password := strings.TrimRight(string(data), "\r\n")
	switch {
	case password == "":
		return "", fmt.Errorf("%s is empty", path)
	case len(password) > maxSecret, strings.ContainsAny(password, "\n\x00"):
		return "", fmt.Errorf("%s holds more than a password", path)
	}
	return password, nil
}

// optionFile returns the login as an option file of the client; see "Using
// Option Files" in MySQL's manual for the escapes.
func (l login) optionFile() string {
	var b strings.Builder
	b.WriteString("[client]\n")
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	put := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s=\"%s\"\n", name, quote.Replace(value))
		}
	}
	put("user", l.user)
	put("host", l.host)
	put("socket", l.socket)
	if l.port != 0 {
		fmt.Fprintf(&b, "port=%d\n", l.port)
	}
	if l.user != "" {
		fmt.Fprintf(&b, "password=\"%s\"\n", quote.Replace(l.password))
	}
	return b.String()
}
