// Package schema owns judging a value by a JSON Schema (json-schema.org,
// draft 2020-12), in words for the person who wrote the value.
//
// It never knows where schemas and values come from, and it never quotes a
// value: it may be a secret.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct{ root *jsonschema.Schema }

// Compile reads a schema, which may refer to itself only.
func Compile(name string, text []byte) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s is not JSON: %w", name, err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // none: nothing is fetched
	const url = "mem:schema"
	if err := c.AddResource(url, doc); err != nil {
		return nil, fmt.Errorf("%s is not a JSON Schema: %w", name, err)
	}
	root, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("%s is not a JSON Schema: %w", name, err)
	}
	return &Schema{root}, nil
}

// Mistake is something that a schema does not allow.
type Mistake struct {
	At   string // in dots: "mysql.where"; empty for the value itself
	Msg  string
	Hint string // may be empty
}

// Check returns what is wrong with a value, which must be like JSON's.
func (s *Schema) Check(value any) ([]Mistake, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	err = s.root.Validate(plain)
	if err == nil {
		return nil, nil
	}
	bad, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil, err
	}
	var out []Mistake
	s.collect(bad, &out)
	slices.SortFunc(out, func(a, b Mistake) int { return strings.Compare(a.At, b.At) })
	return out, nil
}

// collect adds the mistakes at the ends of a tree of them.
func (s *Schema) collect(e *jsonschema.ValidationError, out *[]Mistake) {
	if len(e.Causes) > 0 {
		for _, c := range e.Causes {
			s.collect(c, out)
		}
		return
	}
	at := strings.Join(e.InstanceLocation, ".")
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		known := s.known(e.InstanceLocation)
		for _, name := range k.Properties {
			*out = append(*out, Mistake{join(at, name), "there is no such key", "known: " + strings.Join(known, ", ")})
		}
	case *kind.Required:
		for _, name := range k.Missing {
			*out = append(*out, Mistake{At: join(at, name), Msg: "it is missing"})
		}
	case *kind.Pattern: // its own words would quote the value
		*out = append(*out, Mistake{At: at, Msg: "it must be of the form " + k.Want})
	case *kind.FalseSchema:
		*out = append(*out, Mistake{At: at, Msg: "it has no place here"})
	default:
		*out = append(*out, Mistake{At: at, Msg: e.ErrorKind.LocalizedString(message.NewPrinter(language.English))})
	}
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// known returns the keys that the schema names for a place.
func (s *Schema) known(location []string) []string {
	at := s.root
	for _, name := range location {
		for at != nil && at.Ref != nil {
			at = at.Ref
		}
		if at == nil {
			return nil
		}
		at = at.Properties[name]
	}
	for at != nil && at.Ref != nil {
		at = at.Ref
	}
	if at == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(at.Properties))
}
