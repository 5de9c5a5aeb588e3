// Package discover owns finding out what a tracker host has: which databases,
// where, by whose word; which configuration; which containers. It runs on the
// host, in the helper, and reads only.
//
// It never knows what becomes of what it finds, and it never guesses: what no
// configuration says is not known, and a file that happens to exist says
// nothing. Hosts with MySQL have an empty tracker.db beside it, and those with
// SQLite sometimes a second database that nobody uses.
//
// Passwords are read, since they stand in the same line as what is wanted, and
// never told.
package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/torrust/runner/internal/compose"
	"github.com/torrust/runner/internal/container"
)

// Op is the operation of the helper.
const Op = "tracker_facts"

// Params say where to look.
type Params struct {
	Root   string `json:"root,omitempty"`   // the folder of the compose project; empty: see Find
	Engine string `json:"engine,omitempty"` // docker, podman; empty: whichever there is
	Config string `json:"config,omitempty"` // tracker.toml of a tracker without a container; then Root says nothing
}

// Facts are what a host has. No field holds a secret.
type Facts struct {
	Root       string      `json:"root"`
	Engine     string      `json:"engine"` // empty: none could be asked, so what runs is not known
	Containers []Container `json:"containers"`
	Databases  []Database  `json:"databases"` // the tracker's first
	Config     []string    `json:"config"`    // files and folders, absolute
	FreeBytes  int64       `json:"free_bytes"`
	TotalBytes int64       `json:"total_bytes"` // of the file system of Root
	User       string      `json:"user"`        // who looked: a user ID
	Notes      []string    `json:"notes"`       // what the operator should know
}

// Container is a container of the project.
type Container struct {
	Name    string   `json:"name"`
	Service string   `json:"service"`
	State   string   `json:"state"`
	Health  string   `json:"health"`
	Image   string   `json:"image"`
	ImageID string   `json:"image_id"`
	Digests []string `json:"digests"` // under which registries know the image
}

// Drivers of databases.
const (
	SQLite     = "sqlite3"
	MySQL      = "mysql"
	PostgreSQL = "postgresql"
)

// Database is one of an application.
type Database struct {
	Name    string `json:"name"`    // "tracker", "index", "grafana"
	Driver  string `json:"driver"`  // SQLite, MySQL or PostgreSQL
	Because string `json:"because"` // where that is said

	// Of SQLite.
	Path     string `json:"path,omitempty"` // on the host
	Bytes    int64  `json:"bytes"`
	WALBytes int64  `json:"wal_bytes"`
	Journal  string `json:"journal,omitempty"` // "wal" or "rollback"; empty if the file is

	// Of a server.
	Host      string `json:"host,omitempty"`
	Port      int    `json:"port,omitempty"`
	Database  string `json:"database,omitempty"`
	User      string `json:"user,omitempty"`
	Service   string `json:"service,omitempty"`   // of the project; empty: the server is elsewhere
	Container string `json:"container,omitempty"` // of that service; empty: not known
}

// Codes of failures.
const (
	CodeNoTracker  = "no_tracker"
	CodeSeveral    = "several"    // projects with a tracker
	CodeConfig     = "config"     // it cannot be read, or does not say enough
	CodeNowhere    = "nowhere"    // a file of a container that is not on the host
	CodePermission = "permission" // of the helper's common codes
)

// Error is a refusal.
type Error struct {
	Code string
	Msg  string
	why  error
}

// Error implements error.
func (e *Error) Error() string { return e.Msg }

// Unwrap returns what the system said, if it was the system.
func (e *Error) Unwrap() error { return e.why }

func fail(code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// failure gives an error of reading its code.
func failure(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if errors.Is(err, fs.ErrPermission) {
		return &Error{CodePermission, err.Error(), err}
	}
	return &Error{CodeConfig, err.Error(), err}
}

// usualRoot is where the deployer puts a tracker.
const usualRoot = "/opt/torrust"

// Find looks at the host. The folder of the project is, in this order: what is
// given, that of the one compose project that has a service "tracker", and
// /opt/torrust.
func Find(ctx context.Context, p Params) (Facts, error) {
	f := Facts{User: fmt.Sprint(os.Getuid()), Containers: []Container{}, Config: []string{}, Notes: []string{}}
	if p.Config != "" {
		return bare(f, p.Config)
	}
	host, err := open(ctx, p.Engine)
	if err != nil {
		f.Notes = append(f.Notes, "what runs is not known: "+err.Error())
	}
	f.Engine = host.name
	if f.Root, err = host.root(ctx, p.Root); err != nil {
		return f, err
	}
	project, err := compose.Load(f.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return f, fail(CodeNoTracker, "%v", err)
	}
	if err != nil {
		return f, failure(err)
	}
	site := site{Project: project, containers: host.project(ctx, f.Root)}
	f.Containers = append(f.Containers, host.describe(ctx, site.containers)...)
	if f.Databases, err = site.databases(&f); err != nil {
		return f, err
	}
	f.Config = site.config()
	return f, space(&f)
}

// bare is a tracker without a container: its configuration names files of the
// host.
func bare(f Facts, config string) (Facts, error) {
	f.Root = filepath.Dir(config)
	said, err := readTOML(config)
	if err != nil {
		return f, failure(err)
	}
	db, err := trackerApp.database(said, config)
	if err != nil {
		return f, err
	}
	if db.Driver == SQLite {
		if !filepath.IsAbs(db.Path) {
			return f, fail(CodeConfig, "%s names the database %q, which depends on where the tracker is started", config, db.Path)
		}
		if err := db.look(); err != nil {
			return f, err
		}
	}
	f.Databases, f.Config = []Database{db}, []string{config}
	return f, space(&f)
}

// space reads how full the file system of Root is.
func space(f *Facts) error {
	var s unix.Statfs_t
	if err := unix.Statfs(f.Root, &s); err != nil {
		return failure(&fs.PathError{Op: "statfs", Path: f.Root, Err: err})
	}
	f.FreeBytes, f.TotalBytes = int64(s.Bavail)*s.Frsize, int64(s.Blocks)*s.Frsize
	return nil
}

// engine is a container engine that may be missing.
type engine struct {
	container.Engine
	name string // empty: none
}

// open opens an engine and asks it something, so that later answers count.
func open(ctx context.Context, name string) (engine, error) {
	e, err := container.Open(name)
	if err == nil {
		_, err = e.OfService(ctx, "tracker")
	}
	if err != nil {
		return engine{}, err
	}
	return engine{e, e.Name()}, nil
}

// root chooses the folder of the project.
func (e engine) root(ctx context.Context, given string) (string, error) {
	if given != "" {
		return filepath.Clean(given), nil
	}
	var folders []string
	if e.name != "" {
		list, err := e.OfService(ctx, "tracker")
		if err != nil {
			return "", failure(err)
		}
		for _, c := range list {
			if c.Folder() != "" && !slices.Contains(folders, c.Folder()) {
				folders = append(folders, c.Folder())
			}
		}
	}
	switch len(folders) {
	case 0:
	case 1:
		return folders[0], nil
	default:
		return "", fail(CodeSeveral, "several compose projects have a tracker: %s", strings.Join(folders, ", "))
	}
	if _, err := os.Stat(usualRoot); err != nil {
		return "", fail(CodeNoTracker, "no compose project has a service tracker, and there is no %s", usualRoot)
	}
	return usualRoot, nil
}

// project returns the containers of the project, none if they are not known.
func (e engine) project(ctx context.Context, folder string) []container.Container {
	if e.name == "" {
		return nil
	}
	list, err := e.Project(ctx, folder)
	if err != nil {
		return nil // one that is just being removed
	}
	slices.SortFunc(list, func(a, b container.Container) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func (e engine) describe(ctx context.Context, list []container.Container) []Container {
	var ids []string
	for _, c := range list {
		if !slices.Contains(ids, c.ImageID) {
			ids = append(ids, c.ImageID)
		}
	}
	digests := map[string][]string{}
	if e.name != "" {
		if known, err := e.Digests(ctx, ids...); err == nil { // an image may be gone
			digests = known
		}
	}
	var out []Container
	for _, c := range list {
		out = append(out, Container{
			Name: c.Name, Service: c.Service(), State: c.State, Health: c.Health, Image: c.Image, ImageID: c.ImageID,
			Digests: append([]string{}, digests[c.ImageID]...),
		})
	}
	return out
}
