package inventory

import (
	"errors"
	"os"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
	"github.com/torrust/runner/internal/vars"
	"github.com/torrust/runner/internal/vault"
)

// reader reads variables, encrypted ones too.
type reader struct{ o Options }

// ReadVars reads a file of variables as the inventory reads its own: a mapping
// in YAML or JSON, which may be encrypted. The level is the caller's to set. A
// file that does not exist matches fs.ErrNotExist.
func (inv *Inventory) ReadVars(path string) (vars.Layer, error) { return inv.reader.read(path) }

func (r *reader) read(path string) (vars.Layer, error) {
	layer := newLayer(0)
	layer.Source = path
	src, err := os.ReadFile(path)
	if err != nil {
		return layer, err
	}
	secret := vault.Encrypted(src)
	if secret {
		if src, err = r.open(diag.Pos{File: path, Line: 1, Col: 1}, src); err != nil {
			return layer, err
		}
	}
	docs, err := strictyaml.Parse(path, src)
	if err != nil {
		return layer, err
	}
	for _, doc := range docs {
		if err := r.addVars(&layer, doc); err != nil {
			return layer, err
		}
	}
	if secret {
		for _, v := range layer.Values {
			r.hide(v)
		}
	}
	return layer, nil
}

// open decrypts what stands at pos.
func (r *reader) open(pos diag.Pos, text []byte) ([]byte, error) {
	err := vault.ErrNoKey
	if r.o.Open != nil {
		var plain []byte
		if plain, err = r.o.Open(text); err == nil {
			return plain, nil
		}
	}
	mistake := diag.Errorf(pos, "%v", err)
	if errors.Is(err, vault.ErrNoKey) {
		return nil, mistake.WithHint("for Ansible Vault: --vault-password-file FILE or --ask-vault-pass; for age: --age-identity FILE")
	}
	return nil, mistake
}

// hide keeps every text within v from being shown.
func (r *reader) hide(v any) {
	if r.o.Secret == nil {
		return
	}
	switch v := v.(type) {
	case string:
		r.o.Secret(v)
	case []any:
		for _, item := range v {
			r.hide(item)
		}
	case map[string]any:
		for _, item := range v {
			r.hide(item)
		}
	}
}

// addVars adds the pairs of a mapping to a layer.
func (r *reader) addVars(to *vars.Layer, n *strictyaml.Node) error {
	var errs diag.List
	switch n.Kind {
	case strictyaml.Null:
		return nil
	case strictyaml.Map:
	default:
		return diag.Errorf(n.Pos, "variables must be a mapping, this is %s", n.Kind)
	}
	if to.Source == "" {
		to.Source = n.Pos.File
	}
	for _, p := range n.Pairs {
		v, err := p.Value.Native(r.tagged)
		if err != nil {
			errs.AddErr(p.Value.Pos, err)
			continue
		}
		to.Values[p.Key.Text], to.Pos[p.Key.Text] = v, p.Key.Pos
	}
	return errs.Err()
}

// tagged gives a value under a tag its meaning.
func (r *reader) tagged(n *strictyaml.Node) (any, error) {
	switch {
	case n.Tag == "!unsafe" && n.Kind == strictyaml.String:
		return vars.Unsafe(n.Text), nil
	case n.Tag == "!vault":
		plain, err := r.open(n.Pos, []byte(n.Text))
		if err != nil {
			return nil, err
		}
		r.hide(string(plain))
		return string(plain), nil
	}
	return nil, diag.Errorf(n.Pos, "the tag %s is not supported", n.Tag)
}
