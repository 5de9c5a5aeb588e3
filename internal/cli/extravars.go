package cli

import (
	"maps"
	"strings"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/shlex"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
)

// extraVars reads the arguments of -e: "name=value name2=value2", YAML or JSON
// in braces, or @FILE. Later ones win.
func extraVars(args []string, read func(path string) (vars.Layer, error)) (vars.Layer, error) {
	layer := vars.Layer{Level: vars.Extra, Source: "-e", Values: map[string]any{}, Pos: map[string]diag.Pos{}}
	var mistakes diag.List
	for _, arg := range args {
		var err error
		switch {
		case strings.HasPrefix(arg, "@"):
			err = varsFile(layer, arg[1:], read)
		case strings.HasPrefix(strings.TrimSpace(arg), "{"):
			err = varsText(layer, "-e", arg)
		default:
			err = varsPairs(layer, arg)
		}
		mistakes.AddErr(diag.Pos{File: "-e"}, err)
	}
	return layer, mistakes.Err()
}

func varsFile(layer vars.Layer, path string, read func(path string) (vars.Layer, error)) error {
	found, err := read(path)
	maps.Copy(layer.Values, found.Values)
	maps.Copy(layer.Pos, found.Pos)
	return err
}

func varsText(layer vars.Layer, name, text string) error {
	docs, err := strictyaml.Parse(name, []byte(text))
	if err != nil {
		return err
	}
	for _, doc := range docs {
		if doc.Kind == strictyaml.Null {
			continue
		}
		if doc.Kind != strictyaml.Map {
			return diag.Errorf(doc.Pos, "variables must be a mapping, this is %s", doc.Kind)
		}
		for _, pair := range doc.Pairs {
			value, err := pair.Value.Native(nil)
			if err != nil {
				return err
			}
			layer.Values[pair.Key.Text], layer.Pos[pair.Key.Text] = value, pair.Key.Pos
		}
	}
	return nil
}

// varsPairs reads name=value words. The values are texts, as in Ansible.
func varsPairs(layer vars.Layer, arg string) error {
	words, err := shlex.Split(arg, shlex.Options{})
	if err != nil {
		return err
	}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if !ok || name == "" {
			return diag.Errorf(diag.Pos{File: "-e"}, "%q is not name=value", word).WithHint("or give YAML: -e '{name: value}', or a file: -e @FILE")
		}
		layer.Values[name] = value
	}
	return nil
}
