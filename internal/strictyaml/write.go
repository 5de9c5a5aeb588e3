package strictyaml

import (
	"errors"
	"io"

	"gopkg.in/yaml.v3"
)

// Write writes a value of maps, lists and scalars as YAML.
func Write(w io.Writer, v any) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	return errors.Join(enc.Encode(v), enc.Close())
}
