package discover

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// app is how an application is told where its database is.
type app struct {
	name      string
	inline    string // variable: the configuration itself
	file      string // variable: its path in the container
	usualFile string // that path without the variable
	driver    string // variable that overrides the driver; empty: there is none
	path      string // variable that overrides the path or URL
	// keys of the configuration, in dots; the newest form first.
	driverKeys, pathKeys []string
}

var trackerApp = app{
	name:   "tracker",
	inline: "TORRUST_TRACKER_CONFIG_TOML", file: "TORRUST_TRACKER_CONFIG_TOML_PATH", usualFile: "/etc/torrust/tracker/tracker.toml",
	driver: "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__DRIVER", path: "TORRUST_TRACKER_CONFIG_OVERRIDE_CORE__DATABASE__PATH",
	driverKeys: []string{"core.database.driver", "core.db_driver", "db_driver"},
	pathKeys:   []string{"core.database.path", "core.db_path", "db_path"},
}

var indexApp = app{
	name:   "index",
	inline: "TORRUST_INDEX_CONFIG_TOML", file: "TORRUST_INDEX_CONFIG_TOML_PATH", usualFile: "/etc/torrust/index/index.toml",
	path:     "TORRUST_INDEX_CONFIG_OVERRIDE_DATABASE__CONNECT_URL",
	pathKeys: []string{"database.connect_url"},
}

// database reads what an application is told: the keys of its configuration,
// and the variables that override them, by their names.
func (a app) database(said map[string]any, where string) (Database, error) {
	db := Database{Name: a.name}
	driver, from := a.value(said, a.driver, a.driverKeys)
	path, pathFrom := a.value(said, a.path, a.pathKeys)
	if len(a.driverKeys) == 0 {
		driver, _, _ = strings.Cut(path, ":")
		from = pathFrom
	}
	if from == "" {
		return db, fail(CodeConfig, "%s does not say which database %s uses (%s)", where, a.name, strings.Join(append(a.driverKeys, a.pathKeys...), ", "))
	}
	db.Because = fmt.Sprintf("%s (%s)", where, from)
	switch strings.ToLower(driver) {
	case "sqlite3", "sqlite":
		db.Driver = SQLite
		db.Path = sqlitePath(path)
		if db.Path == "" {
			return db, fail(CodeConfig, "%s says that %s uses SQLite, but not where the file is (%s)", where, a.name, strings.Join(a.pathKeys, ", "))
		}
		return db, nil
	case "mysql", "mariadb":
		db.Driver = MySQL
	case "postgresql", "postgres":
		db.Driver = PostgreSQL
	default:
		return db, fail(CodeConfig, "%s says that %s uses the database %q, which is not known here", where, a.name, driver)
	}
	u, err := url.Parse(path)
	if err != nil || u.Host == "" {
		// The URL's own message would quote it, with its password.
		return db, fail(CodeConfig, "%s says that %s uses %s, but %s is no URL of a server", where, a.name, db.Driver, strings.Join(a.pathKeys, ", "))
	}
	db.Host, db.User, db.Database = u.Hostname(), u.User.Username(), strings.TrimPrefix(u.Path, "/")
	db.Port, _ = strconv.Atoi(u.Port())
	return db, nil
}

// value returns what a variable, or the first of the keys that is there, says.
func (app) value(said map[string]any, variable string, keys []string) (text, from string) {
	if text, ok := said[variable].(string); ok && variable != "" && text != "" {
		return text, variable
	}
	for _, key := range keys {
		var at any = said
		for _, name := range strings.Split(key, ".") {
			m, _ := at.(map[string]any)
			at = m[name]
		}
		if text, ok := at.(string); ok && text != "" {
			return text, key
		}
	}
	return "", ""
}

// sqlitePath takes a path, or a URL of SQLx: sqlite:///a/b?mode=rwc.
func sqlitePath(text string) string {
	rest, ok := strings.CutPrefix(text, "sqlite:")
	if !ok {
		return text
	}
	rest, _, _ = strings.Cut(strings.TrimPrefix(rest, "//"), "?")
	return rest
}

func readTOML(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseTOML(path, string(text))
}

// parseTOML reads a configuration. Its errors quote no value.
func parseTOML(where, text string) (map[string]any, error) {
	said := map[string]any{}
	if _, err := toml.Decode(text, &said); err != nil {
		if bad, ok := err.(toml.ParseError); ok {
			return nil, fail(CodeConfig, "%s is not TOML: line %d", where, bad.Position.Line)
		}
		return nil, fail(CodeConfig, "%s is not TOML", where)
	}
	return said, nil
}
