// Package compose owns what the files of a docker compose project say: which
// services there are, with their environment and what they mount. It reads
// files of the machine that it runs on, and starts nothing.
//
// It never knows what really runs; see package container.
package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"

	"github.com/torrust/runner/internal/strictyaml"
)

// Project is a folder with a compose file.
type Project struct {
	Dir      string
	Files    []string // of the project, as docker compose finds them; then .env, if there is one
	Services map[string]Service
	env      map[string]string
}

// Service is a service of a project.
type Service struct {
	Name      string
	Container string // its fixed name; empty if there is none
	Image     string
	Env       map[string]string
	Mounts    []Mount
}

// Mount is a folder or file of the host, or a volume, in a container.
type Mount struct {
	Source string // absolute, on the host; empty for a volume
	Target string // absolute, in the container
}

// The names that docker compose looks for, in its order.
var (
	fileNames     = []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"}
	overrideNames = []string{"compose.override.yaml", "compose.override.yml", "docker-compose.override.yaml", "docker-compose.override.yml"}
)

// Load reads the project in dir. Without a compose file the error is
// fs.ErrNotExist.
func Load(dir string) (Project, error) {
	p := Project{Dir: dir, Services: map[string]Service{}, env: map[string]string{}}
	file, err := firstOf(dir, fileNames)
	if err != nil {
		return p, err
	}
	p.Files = []string{file}
	if override, err := firstOf(dir, overrideNames); err == nil {
		p.Files = append(p.Files, override)
	}
	envFile := filepath.Join(dir, ".env")
	vars, err := ReadEnv(envFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	composeFiles := p.Files
	if err == nil {
		p.env = vars
		p.Files = append(p.Files[:len(p.Files):len(p.Files)], envFile)
	}
	for _, path := range composeFiles {
		if err := p.read(path); err != nil {
			return p, err
		}
	}
	return p, nil
}

func firstOf(dir string, names []string) (string, error) {
	for _, name := range names {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("%s has no compose file: %w", dir, fs.ErrNotExist)
}

// read adds what a compose file says; a later file wins.
func (p Project) read(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	root, err := strictyaml.ParseOne(path, data)
	if err != nil {
		return err
	}
	value, err := root.Native(func(n *strictyaml.Node) (any, error) { return nil, nil }) // !reset and its like
	if err != nil {
		return err
	}
	services, _ := mapping(value)["services"].(map[string]any)
	for name, v := range services {
		s := p.Services[name]
		s.Name = name
		if s.Env == nil {
			s.Env = map[string]string{}
		}
		raw := mapping(v)
		if text := p.text(raw["container_name"]); text != "" {
			s.Container = text
		}
		if text := p.text(raw["image"]); text != "" {
			s.Image = text
		}
		if err := p.envFiles(raw["env_file"], s.Env); err != nil {
			return err
		}
		p.environment(raw["environment"], s.Env)
		for _, m := range list(raw["volumes"]) {
			if mount, ok := p.mount(m); ok {
				s.Mounts = append(s.Mounts, mount)
			}
		}
		p.Services[name] = s
	}
	return nil
}

func mapping(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// text returns a scalar, with the variables of .env in their places, as
// docker compose puts them there.
func (p Project) text(v any) string {
	if v == nil {
		return ""
	}
	text := fmt.Sprint(v)
	out, err := template.Substitute(text, func(name string) (string, bool) {
		value, ok := p.env[name]
		return value, ok
	})
	if err != nil {
		return text // docker compose would not start it either
	}
	return out
}

func (p Project) envFiles(v any, env map[string]string) error {
	files := list(v)
	if v != nil && files == nil {
		files = []any{v}
	}
	for _, f := range files {
		required := true
		if m := mapping(f); m != nil {
			f = m["path"]
			required = m["required"] != false
		}
		path := p.text(f)
		if !filepath.IsAbs(path) {
			path = filepath.Join(p.Dir, path)
		}
		vars, err := ReadEnv(path)
		if errors.Is(err, fs.ErrNotExist) && !required {
			continue
		}
		if err != nil {
			return err
		}
		for name, value := range vars {
			env[name] = value
		}
	}
	return nil
}

// environment reads both forms: a mapping, and a list of NAME=VALUE. A name
// without a value has that of .env.
func (p Project) environment(v any, env map[string]string) {
	for name, value := range mapping(v) {
		if value == nil {
			env[name] = p.env[name]
			continue
		}
		env[name] = p.text(value)
	}
	for _, item := range list(v) {
		name, value, given := strings.Cut(p.text(item), "=")
		if !given {
			value = p.env[name]
		}
		env[name] = value
	}
}

// mount reads both forms: SOURCE:TARGET:MODE, and a mapping.
func (p Project) mount(v any) (Mount, bool) {
	if m := mapping(v); m != nil {
		mount := Mount{Target: p.text(m["target"])}
		if m["type"] == "bind" {
			mount.Source = p.path(p.text(m["source"]))
		}
		return mount, mount.Target != ""
	}
	parts := strings.Split(p.text(v), ":")
	if len(parts) < 2 {
		return Mount{Target: parts[0]}, strings.HasPrefix(parts[0], "/") // a volume without a name
	}
	mount := Mount{Target: parts[1]}
	if strings.HasPrefix(parts[0], ".") || strings.HasPrefix(parts[0], "/") || strings.HasPrefix(parts[0], "~") {
		mount.Source = p.path(parts[0])
	}
	return mount, true
}

// path makes a path of a compose file absolute.
func (p Project) path(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if !filepath.IsAbs(path) {
		return filepath.Join(p.Dir, path)
	}
	return filepath.Clean(path)
}

// OnHost returns where a path of a container is on the host: through the mount
// that is nearest. It is false if the path is within the container's own
// layers, or in a volume.
func OnHost(mounts []Mount, path string) (string, bool) {
	var best Mount
	found := false
	for _, m := range mounts {
		target := filepath.Clean(m.Target)
		if (path == target || strings.HasPrefix(path, strings.TrimSuffix(target, "/")+"/")) && (!found || len(target) > len(best.Target)) {
			best, found = Mount{m.Source, target}, true
		}
	}
	if !found || best.Source == "" {
		return "", false
	}
	return filepath.Join(best.Source, strings.TrimPrefix(path, best.Target)), true
}
