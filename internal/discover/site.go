package discover

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torrust/runner/internal/compose"
	"github.com/torrust/runner/internal/container"
)

// site is a compose project, with the containers that it has.
type site struct {
	compose.Project
	containers []container.Container
}

// part is one service of a site: as its container has it, or as the compose
// file says if there is no container.
type part struct {
	name    string // of the service
	env     map[string]string
	envFrom string // for people
	mounts  []compose.Mount
	written map[string]string // the environment by the compose file
}

// service returns a service by its name, or by what its image is called.
func (s site) service(name, image string) (part, bool) {
	written, found := s.Services[name]
	if !found && image != "" {
		for _, candidate := range s.Services {
			if strings.Contains(candidate.Image, image) {
				written, found = candidate, true
			}
		}
	}
	if !found {
		return part{}, false
	}
	p := part{name: written.Name, env: written.Env, envFrom: s.Files[0], mounts: written.Mounts, written: written.Env}
	if c, ok := s.container(written.Name); ok {
		p.env, p.envFrom, p.mounts = c.Env, "the environment of the container "+c.Name, nil
		for _, m := range c.Mounts {
			p.mounts = append(p.mounts, compose.Mount{Source: m.Source, Target: m.Target})
		}
	}
	return p, true
}

// container returns the container of a service: the one that runs, if there
// are several.
func (s site) container(service string) (container.Container, bool) {
	var found container.Container
	ok := false
	for _, c := range s.containers {
		if c.Service() == service && (!ok || c.State == "running") {
			found, ok = c, true
		}
	}
	return found, ok
}

// databases finds the database of each application.
func (s site) databases(f *Facts) ([]Database, error) {
	tracker, ok := s.service("tracker", "torrust/tracker")
	if !ok {
		return nil, fail(CodeNoTracker, "the compose project in %s has no service tracker", s.Dir)
	}
	db, err := s.database(trackerApp, tracker, f)
	if err != nil {
		return nil, err
	}
	out := []Database{db}
	if index, ok := s.service("index", "torrust/index"); ok {
		db, err := s.database(indexApp, index, f)
		if err != nil {
			return nil, err
		}
		out = append(out, db)
	}
	if grafana, ok := s.service("grafana", "grafana/grafana"); ok {
		if db, ok, err := s.grafana(grafana); err != nil {
			return nil, err
		} else if ok {
			out = append(out, db)
		}
	}
	return out, nil
}

// database finds the database of an application: by its environment, then by
// its configuration.
func (s site) database(a app, p part, f *Facts) (Database, error) {
	for _, name := range []string{a.driver, a.path} {
		if c, w := p.env[name], p.written[name]; name != "" && c != w {
			f.Notes = append(f.Notes, fmt.Sprintf("%s has changed since the container of %s was made: docker compose up -d makes it anew", name, p.name))
		}
	}
	said, where, err := s.configOf(a, p)
	if err != nil {
		return Database{}, err
	}
	for _, name := range []string{a.driver, a.path} {
		if name != "" && p.env[name] != "" {
			said[name], where = p.env[name], p.envFrom
		}
	}
	db, err := a.database(said, where)
	if err != nil {
		return db, err
	}
	if db.Driver != SQLite {
		db.Service, db.Container = s.server(db.Host)
		return db, nil
	}
	inside := db.Path
	if !filepath.IsAbs(inside) {
		return db, fail(CodeConfig, "%s names the database %q, which depends on where %s is started", where, inside, p.name)
	}
	var ok bool
	if db.Path, ok = compose.OnHost(p.mounts, inside); !ok {
		return db, fail(CodeNowhere, "the database %s of %s is in no folder of the host: it goes with the container", inside, p.name)
	}
	return db, db.look()
}

// configOf reads the configuration of an application. It is empty if the
// application is told everything by its environment.
func (s site) configOf(a app, p part) (said map[string]any, where string, err error) {
	if text := p.env[a.inline]; text != "" {
		said, err = parseTOML(p.envFrom+" ("+a.inline+")", text)
		return said, p.envFrom, err
	}
	inside := p.env[a.file]
	if inside == "" {
		inside = a.usualFile
	}
	path, ok := compose.OnHost(p.mounts, inside)
	if !ok {
		return map[string]any{}, p.envFrom, nil
	}
	said, err = readTOML(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]any{}, p.envFrom, nil
	}
	if err != nil {
		return nil, path, failure(err)
	}
	return said, path, nil
}

// server returns the service with the name that an application calls its
// server by, and its container.
func (s site) server(host string) (service, name string) {
	for _, candidate := range s.Services {
		if candidate.Name == host || candidate.Container == host {
			c, _ := s.container(candidate.Name)
			return candidate.Name, c.Name
		}
	}
	return "", ""
}

// grafanaData is where Grafana keeps its database, unless it is told otherwise;
// see "paths" and "database" in Grafana's manual.
const grafanaData = "/var/lib/grafana"

// grafana finds Grafana's database. One that it has not made yet is none.
func (s site) grafana(p part) (Database, bool, error) {
	if driver := p.env["GF_DATABASE_TYPE"]; driver != "" && driver != SQLite {
		return Database{}, false, nil
	}
	inside := grafanaData
	if dir := p.env["GF_PATHS_DATA"]; dir != "" {
		inside = dir
	}
	path, ok := compose.OnHost(p.mounts, inside+"/grafana.db")
	if !ok {
		return Database{}, false, nil
	}
	db := Database{Name: "grafana", Driver: SQLite, Because: "Grafana's default", Path: path}
	err := db.look()
	if errors.Is(err, fs.ErrNotExist) {
		return Database{}, false, nil
	}
	return db, err == nil, err
}

// config returns the files of the project, and whatever of the host stands
// below /etc in a container, which is where images expect configuration.
func (s site) config() []string {
	out := slices.Clone(s.Files)
	for _, service := range s.Services {
		for _, m := range service.Mounts {
			inProject := strings.HasPrefix(m.Source, s.Dir+"/")
			if _, err := os.Lstat(m.Source); inProject && strings.HasPrefix(m.Target, "/etc/") && !errors.Is(err, fs.ErrNotExist) {
				out = append(out, m.Source)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// look reads the first bytes of a database: the header of a SQLite file, see
// "The Database Header" in fileformat2.html of sqlite.org.
func (db *Database) look() error {
	f, err := os.Open(db.Path)
	if errors.Is(err, fs.ErrPermission) {
		return failure(err)
	}
	if err != nil {
		return &Error{CodeConfig, fmt.Sprintf("the database of %s is not there: %v (by %s)", db.Name, err, db.Because), err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return failure(err)
	}
	db.Bytes = info.Size()
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err == nil {
		db.Journal = map[byte]string{1: "rollback", 2: "wal"}[head[18]]
	}
	if wal, err := os.Stat(db.Path + "-wal"); err == nil {
		db.WALBytes = wal.Size()
	}
	return nil
}
