// Package playbook owns the grammar of playbooks: which keys plays, blocks,
// tasks and roles may have, in which forms their values may be written, and
// the typed tree that comes out, with the position of everything in it.
//
// It never knows hosts, what the arguments of a task kind mean, or what a
// template says: those are nodes that later packages judge. What Ansible has
// and this project has not is refused by its name.
package playbook

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Kinds tells which names are task kinds.
type Kinds interface {
	// Lookup returns the kind of that name or alias.
	Lookup(name string) (Kind, bool)
	// Suggest returns the known name that name was most likely meant to
	// be, or "".
	Suggest(name string) string
}

// Kind is what the grammar must know of a task kind.
type Kind struct {
	FreeForm string   // the parameter that takes free text; empty: none
	Params   []string // names and aliases of its parameters
}

// Options are what reading a playbook needs besides its text.
type Options struct {
	Kinds Kinds
	// ReadFile reads a file; nil means os.ReadFile.
	ReadFile func(path string) ([]byte, error)
	// Expand expands a template in a name that must be known when a
	// playbook is read: of an imported file, a role, a tag. Nil means that
	// such a template is a mistake.
	Expand func(text string) (string, error)
}

// Playbook is a playbook with all that it imports.
type Playbook struct {
	Path  string
	Files []File // every file that was read, this playbook first
	Plays []*Play
	// Mistakes are those of the grammar. The plays are what could be read
	// all the same, so that the mistakes of later checks are found in the
	// same go; a task that could not be read has no Kind.
	Mistakes diag.List
	// Uses is what of the language the playbook uses, by what and name.
	Uses []Use
	// Sources is the text of the files, to find places in it.
	Sources Sources
}

// File is a file that was read.
type File struct {
	Path   string
	SHA256 string // lower-case hex
}

// Load reads the playbook at path and all that it imports. What is wrong in
// them is in the Mistakes of the result, with which plan.Build fails; the
// error is only that path itself cannot be read.
func Load(path string, o Options) (*Playbook, error) {
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	text, err := o.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l := &loader{o: o, sources: Sources{}, uses: usage{}}
	plays := l.playbook(path, text)
	return &Playbook{Path: path, Files: l.files, Plays: plays, Mistakes: l.errs, Uses: l.uses.sorted(), Sources: l.sources}, nil
}

// Parse is Load for a playbook whose text is at hand.
func Parse(path string, text []byte, o Options) (*Playbook, error) {
	read := o.ReadFile
	if read == nil {
		read = os.ReadFile
	}
	o.ReadFile = func(p string) ([]byte, error) {
		if p == path {
			return text, nil
		}
		return read(p)
	}
	return Load(path, o)
}

// loader reads a playbook and collects its mistakes.
type loader struct {
	o       Options
	errs    diag.List
	files   []File
	sources Sources
	uses    usage
	open    []string // the chain of imports that is being read
	imports int      // files of tasks so far
	tasks   int      // so far
	dir     string   // of the playbook or role being read
}

// parse reads the one document of a file. It returns nil if it is no YAML.
func (l *loader) parse(path string, text []byte) *strictyaml.Node {
	if _, seen := l.sources[path]; !seen {
		sum := sha256.Sum256(text)
		l.files = append(l.files, File{Path: path, SHA256: hex.EncodeToString(sum[:])})
		l.sources[path] = strings.Split(string(text), "\n")
	}
	root, err := strictyaml.ParseOne(path, text)
	if err != nil {
		for _, e := range diag.All(err) {
			l.errs.Add(l.unquoted(e))
		}
		return nil
	}
	return root
}

// unquoted puts the commonest mistake of beginners into words of its own: YAML
// takes {{ for the beginning of two mappings.
func (l *loader) unquoted(e *diag.Error) *diag.Error {
	line, _ := l.sources.line(e.Pos)
	for _, at := range []int{e.Pos.Col - 1, e.Pos.Col - 2} {
		if at < 0 || at > len(line) || !strings.HasPrefix(line[at:], "{{") {
			continue
		}
		value, quote := strings.TrimSpace(line[at:]), `"`
		if strings.Contains(value, `"`) {
			quote, value = "'", strings.ReplaceAll(value, "'", "''")
		}
		pos := diag.Pos{File: e.Pos.File, Line: e.Pos.Line, Col: at + 1}
		return diag.Errorf(pos, "a value that begins with {{ must be quoted").WithHint("write %s%s%s", quote, value, quote)
	}
	return e
}

func (l *loader) playbook(path string, text []byte) []*Play {
	root := l.parse(path, text)
	if root == nil {
		return nil
	}
	defer l.enter(path, filepath.Dir(path))()
	switch {
	case root.Kind == strictyaml.Null:
		l.errs.Addf(root.Pos, "this playbook is empty").WithHint("a playbook is a list of plays; begin with: - hosts: all")
		return nil
	case root.Kind == strictyaml.Map:
		l.errs.Addf(root.Pos, "a playbook must be a list of plays, this is a mapping").WithHint(`begin each play with "- "`)
		return nil
	case root.Kind != strictyaml.Seq:
		l.errs.Addf(root.Pos, "a playbook must be a list of plays, this is %s", root.Kind)
		return nil
	}
	var plays []*Play
	for _, item := range root.Items {
		if item.Kind == strictyaml.Map && importKey(item) != nil {
			plays = append(plays, l.importPlaybook(item)...)
		} else if p := l.play(item, path); p != nil {
			plays = append(plays, p)
		}
	}
	return plays
}

// enter notes that path is being read, and returns what ends that.
func (l *loader) enter(path, dir string) (leave func()) {
	outer := l.dir
	l.open, l.dir = append(l.open, path), dir
	return func() { l.open, l.dir = l.open[:len(l.open)-1], outer }
}
