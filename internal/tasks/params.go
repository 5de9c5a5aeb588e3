package tasks

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/torrust/runner/internal/diag"
	"github.com/torrust/runner/internal/strictyaml"
)

// Param is one parameter of a kind, as declared by a field of its struct:
//
//	Src string `arg:"src,required" alias:"path" default:"/x" choices:"a,b" doc:"…"`
//
// The type is one of string, bool, int, int64, float64, []string, any,
// map[string]any, Size, time.Duration, Mode, Expr, []Expr, a struct with
// tagged fields, or a slice of such. `arg:",rest"` on a map[string]any takes
// the keys that are no parameters. `secret:"true"` keeps a value out of every
// output. A kind that can also be a stage of a pipe marks what exists only when
// it stands alone with `use:"alone"`, and what exists only in a pipe with
// `use:"pipe"`; see [Spec.InPipe].
type Param struct {
	Name     string
	Aliases  []string
	Type     string // for people: "string", "size", "list of strings", …
	Required bool
	Default  string
	Choices  []string
	Secret   bool
	Use      string // "alone", "pipe", or empty: everywhere
	Doc      string
	Sub      []Param // of a struct or a list of structs
	index    int
	rest     bool
}

// Params returns the parameters of the kind in the order of declaration.
func (s Spec) Params() []Param {
	return slices.DeleteFunc(s.params(), func(p Param) bool { return p.rest })
}

func (s Spec) params() []Param {
	t := reflect.TypeOf(s.New())
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("task kind %q: New must return a pointer to a struct", s.Name))
	}
	elsewhere := "pipe"
	if s.inPipe {
		elsewhere = "alone"
	}
	return slices.DeleteFunc(structParams(t.Elem()), func(p Param) bool { return p.Use == elsewhere })
}

// InPipe returns the declaration of the kind as a stage of a pipe. A Spec as
// it is in the registry is that of a task of its own.
func (s Spec) InPipe() Spec {
	s.inPipe = true
	return s
}

func structParams(t reflect.Type) []Param {
	var out []Param
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("arg")
		if !ok {
			continue
		}
		name, opts, _ := strings.Cut(tag, ",")
		p := Param{
			Name: name, index: i, rest: opts == "rest", Required: opts == "required",
			Default: f.Tag.Get("default"), Secret: f.Tag.Get("secret") == "true", Doc: f.Tag.Get("doc"), Use: f.Tag.Get("use"),
			Aliases: splitTag(f.Tag.Get("alias")), Choices: splitTag(f.Tag.Get("choices")),
		}
		p.Type, p.Sub = typeName(f.Type)
		if p.Type == "" {
			panic(fmt.Sprintf("parameter %s.%s: type %s is not supported", t, f.Name, f.Type))
		}
		out = append(out, p)
	}
	return out
}

func splitTag(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

var scalarTypes = map[reflect.Type]string{
	reflect.TypeFor[string]():         "string",
	reflect.TypeFor[bool]():           "boolean",
	reflect.TypeFor[int]():            "integer",
	reflect.TypeFor[int64]():          "integer",
	reflect.TypeFor[float64]():        "number",
	reflect.TypeFor[Size]():           "size",
	reflect.TypeFor[time.Duration]():  "duration",
	reflect.TypeFor[Mode]():           "mode",
	reflect.TypeFor[Expr]():           "expression",
	reflect.TypeFor[any]():            "any",
	reflect.TypeFor[map[string]any](): "mapping",
	reflect.TypeFor[[]string]():       "list of strings",
	reflect.TypeFor[[]any]():          "list",
	reflect.TypeFor[[]Expr]():         "list of expressions",
}

func typeName(t reflect.Type) (string, []Param) {
	if name, ok := scalarTypes[t]; ok {
		return name, nil
	}
	switch {
	case t.Kind() == reflect.Struct:
		return "mapping", structParams(t)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "list of mappings", structParams(t.Elem())
	}
	return "", nil
}

// Check finds the mistakes in the arguments of a task that can be seen before
// its variables are known: unknown and missing keys, and literals of the
// wrong type. args is a mapping, or nil.
func (s Spec) Check(args *strictyaml.Node, at diag.Pos) error {
	d := decoder{templated: hasTemplate}
	task := s.New()
	d.fill(reflect.ValueOf(task).Elem(), s.params(), args, at, s.Name)
	return d.errs.Err()
}

func hasTemplate(n *strictyaml.Node) bool {
	return n.Kind == strictyaml.String && (strings.Contains(n.Text, "{{") || strings.Contains(n.Text, "{%")) || n.Tag != ""
}
