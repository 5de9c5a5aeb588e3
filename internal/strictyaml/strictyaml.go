// Package strictyaml owns reading YAML into a tree that remembers positions.
// It is the only package that imports yaml.v3, and it reads scalars as PyYAML
// does (YAML 1.1: yes, no, 0644), since that is what Ansible's users write.
//
// It never knows what a document means: see [Fields] for the strictness that
// its callers share.
package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/torrust/runner/internal/diag"
)

// Kind tells what a Node holds.
type Kind int

// The kinds of nodes.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	Seq
	Map
)

var kindNames = [...]string{"nothing", "a boolean", "an integer", "a number", "a string", "a list", "a mapping"}

// String names the kind for messages: "a list".
func (k Kind) String() string { return kindNames[k] }

// Node is a value with its position. Nodes reached through an alias are
// shared: a tree may be a graph, but never has a cycle. Treat it as immutable.
type Node struct {
	Pos   diag.Pos
	Kind  Kind
	Tag   string  // an application's own tag such as !vault; else empty
	Text  string  // the scalar as written, without its quotes
	Value any     // the scalar as nil, bool, int64, float64 or string
	Items []*Node // of a Seq
	Pairs []Pair  // of a Map, in the order written, merge keys resolved
}

// Pair is a key of a mapping and its value.
type Pair struct{ Key, Value *Node }

const (
	maxBytes    = 64 << 20
	maxDepth    = 200
	maxExpanded = 2_000_000 // nodes, counting those reached through aliases again
)

// Parse reads every document of src; name stands in the positions. An empty
// document is a Null node. The error is a diag.List. Input whose aliases
// multiply it beyond reason, or which is nested too deep, is refused.
func Parse(name string, src []byte) (docs []*Node, err error) {
	if len(src) > maxBytes {
		return nil, diag.List{diag.Errorf(diag.Pos{File: name}, "file is larger than %d MiB", maxBytes>>20)}
	}
	defer func() {
		// yaml.v3 panics on some malformed input (go-yaml/yaml#1020 and kin).
		if r := recover(); r != nil {
			docs, err = nil, diag.List{diag.Errorf(diag.Pos{File: name}, "not valid YAML: %v", r)}
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(string(src)))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, diag.List{syntaxError(name, src, err)}
		}
		c := converter{file: name, done: map[*yaml.Node]*Node{}, busy: map[*yaml.Node]bool{}, size: map[*Node]int{}}
		root := c.node(&doc, 0)
		if err := c.errs.Err(); err != nil {
			return nil, err
		}
		if c.size[root] > maxExpanded {
			return nil, diag.List{diag.Errorf(root.Pos, "aliases expand this document to more than %d values", maxExpanded)}
		}
		docs = append(docs, root)
	}
}

// ParseOne is Parse for a file that must hold exactly one document; a file
// without any is a Null node at line 1.
func ParseOne(name string, src []byte) (*Node, error) {
	docs, err := Parse(name, src)
	if err != nil {
		return nil, err
	}
	switch len(docs) {
	case 0:
		return &Node{Pos: diag.Pos{File: name, Line: 1, Col: 1}}, nil
	case 1:
		return docs[0], nil
	}
	return nil, diag.List{diag.Errorf(docs[1].Pos, "a second document in this file").WithHint("remove the line ---, or move this part to a file of its own")}
}

var lineInError = regexp.MustCompile(`line (\d+): `)

// syntaxError turns yaml.v3's text into a positioned error, with the answer
// to the commonest mistake: a value that starts with {{ and is not quoted.
func syntaxError(name string, src []byte, err error) *diag.Error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	pos := diag.Pos{File: name}
	if m := lineInError.FindStringSubmatch(msg); m != nil {
		pos.Line, _ = strconv.Atoi(m[1])
		pos.Col = 1
		msg = strings.Replace(msg, m[0], "", 1)
	}
	e := diag.Errorf(pos, "not valid YAML: %s", msg)
	lines := strings.Split(string(src), "\n")
	// yaml.v3 names a line near the culprit, not always the culprit.
	for _, n := range []int{pos.Line - 1, pos.Line - 2, pos.Line} {
		if n < 0 || n >= len(lines) {
			continue
		}
		line := lines[n]
		if at := unquotedTemplate.FindStringIndex(line); at != nil {
			e.Pos.Line, e.Pos.Col = n+1, strings.Index(line[at[0]:], "{{")+at[0]+1
			return e.WithHint(`a value that starts with {{ must be quoted: "{{ … }}"`)
		}
		if at := strings.IndexByte(line, '\t'); at >= 0 && strings.TrimSpace(line[:at]) == "" {
			e.Pos.Line, e.Pos.Col = n+1, at+1
			return e.WithHint("indent with blanks, not with tabs")
		}
	}
	return e
}

var unquotedTemplate = regexp.MustCompile(`^[^#"']*[:-]\s+\{\{`)

type converter struct {
	file string
	errs diag.List
	done map[*yaml.Node]*Node
	busy map[*yaml.Node]bool
	size map[*Node]int // values below a node, saturating
}

func (c *converter) pos(y *yaml.Node) diag.Pos {
	return diag.Pos{File: c.file, Line: y.Line, Col: y.Column}
}

func (c *converter) node(y *yaml.Node, depth int) *Node {
	switch y.Kind {
	case yaml.DocumentNode:
		return c.node(y.Content[0], depth)
	case yaml.AliasNode:
		return c.node(y.Alias, depth)
	}
	if n, ok := c.done[y]; ok {
		return n
	}
	n := &Node{Pos: c.pos(y), Tag: ownTag(y)}
	if depth > maxDepth || c.busy[y] {
		c.errs.Addf(n.Pos, "nested too deep")
		return n
	}
	c.busy[y] = true
	defer delete(c.busy, y)
	size := 1
	switch y.Kind {
	case yaml.ScalarNode:
		c.scalar(n, y)
	case yaml.SequenceNode:
		n.Kind = Seq
		for _, item := range y.Content {
			child := c.node(item, depth+1)
			n.Items = append(n.Items, child)
			size += c.size[child]
		}
	case yaml.MappingNode:
		n.Kind = Map
		c.mapping(n, y, depth)
		for _, p := range n.Pairs {
			size += 1 + c.size[p.Value]
		}
	}
	c.done[y], c.size[n] = n, min(size, maxExpanded+1)
	return n
}

func ownTag(y *yaml.Node) string {
	if strings.HasPrefix(y.Tag, "!") && !strings.HasPrefix(y.Tag, "!!") && y.Tag != "!" {
		return y.Tag
	}
	return ""
}

func (c *converter) mapping(n *Node, y *yaml.Node, depth int) {
	seen := map[string]*Node{}
	var merged []Pair
	for i := 0; i+1 < len(y.Content); i += 2 {
		ky, vy := y.Content[i], y.Content[i+1]
		if ky.Kind == yaml.ScalarNode && ky.Value == "<<" && (ky.Tag == "!!merge" || ky.Style == 0) {
			merged = append(merged, c.merge(vy, depth)...)
			continue
		}
		key, value := c.node(ky, depth+1), c.node(vy, depth+1)
		if key.Kind == Seq || key.Kind == Map {
			hint := `a value that starts with {{ must be quoted: "{{ … }}"`
			c.errs.Addf(key.Pos, "a mapping's key must be a word").WithHint("%s", hint)
			continue
		}
		if first, dup := seen[key.Text]; dup {
			c.errs.Addf(key.Pos, "key %q is here twice", key.Text).WithHint("first at line %d", first.Pos.Line)
			continue
		}
		seen[key.Text] = key
		n.Pairs = append(n.Pairs, Pair{key, value})
	}
	for _, p := range merged {
		if _, own := seen[p.Key.Text]; !own {
			seen[p.Key.Text] = p.Key
			n.Pairs = append(n.Pairs, p)
		}
	}
}

// merge resolves the value of a << key: a mapping, or a list of mappings of
// which an earlier one wins (https://yaml.org/type/merge.html).
func (c *converter) merge(y *yaml.Node, depth int) []Pair {
	n := c.node(y, depth+1)
	switch n.Kind {
	case Map:
		return n.Pairs
	case Seq:
		var pairs []Pair
		for _, item := range n.Items {
			if item.Kind != Map {
				c.errs.Addf(item.Pos, "<< merges mappings, this is %s", item.Kind)
				continue
			}
			pairs = append(pairs, item.Pairs...)
		}
		return pairs
	}
	c.errs.Addf(n.Pos, "<< merges mappings, this is %s", n.Kind)
	return nil
}

// scalar resolves as PyYAML's SafeLoader does; quoted text and text under an
// application's tag stay strings. Timestamps stay strings, too.
func (c *converter) scalar(n *Node, y *yaml.Node) {
	n.Kind, n.Text, n.Value = String, y.Value, y.Value
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	switch {
	case y.Style&yaml.TaggedStyle != 0 && strings.HasPrefix(y.Tag, "!!"):
		c.tagged(n, y)
	case y.Style&quoted != 0 || n.Tag != "":
	default:
		n.Kind, n.Value = resolve(y.Value)
	}
}

// tagged obeys an explicit core tag such as !!str or !!int.
func (c *converter) tagged(n *Node, y *yaml.Node) {
	want, known := map[string]Kind{"!!str": String, "!!int": Int, "!!float": Float, "!!bool": Bool, "!!null": Null}[y.Tag]
	if !known {
		c.errs.Addf(n.Pos, "tag %s is not supported", y.Tag)
		return
	}
	if want == String {
		return
	}
	kind, value := resolve(y.Value)
	if i, ok := value.(int64); ok && want == Float {
		kind, value = Float, float64(i)
	}
	if kind != want {
		c.errs.Addf(n.Pos, "%q is not %s", y.Value, want)
		return
	}
	n.Kind, n.Value = kind, value
}

var (
	intPattern   = regexp.MustCompile(`^[-+]?(0b[0-1_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$`)
	sexaPattern  = regexp.MustCompile(`^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+$`)
	floatPattern = regexp.MustCompile(`^[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?)$`)
)

// resolve gives plain text its YAML 1.1 type, by the patterns of PyYAML's
// resolver.
func resolve(text string) (Kind, any) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return Null, nil
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return Bool, true
	case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return Bool, false
	case ".inf", ".Inf", ".INF", "+.inf", "-.inf", ".nan", ".NaN", ".NAN":
		f, _ := strconv.ParseFloat(strings.Replace(strings.ToLower(text), ".", "", 1), 64)
		return Float, f
	}
	digits := strings.ReplaceAll(text, "_", "")
	switch {
	case intPattern.MatchString(text):
		if i, err := parseInt(digits); err == nil {
			return Int, i
		}
	case sexaPattern.MatchString(text):
		if i, err := parseSexagesimal(digits); err == nil {
			return Int, i
		}
	case floatPattern.MatchString(text):
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return Float, f
		}
	}
	return String, text
}

func parseInt(s string) (int64, error) {
	sign := ""
	if s[0] == '-' || s[0] == '+' {
		sign, s = s[:1], s[1:]
	}
	switch {
	case strings.HasPrefix(s, "0b"):
		return strconv.ParseInt(sign+s[2:], 2, 64)
	case strings.HasPrefix(s, "0x"):
		return strconv.ParseInt(sign+s[2:], 16, 64)
	case len(s) > 1 && s[0] == '0':
		return strconv.ParseInt(sign+s[1:], 8, 64)
	}
	return strconv.ParseInt(sign+s, 10, 64)
}

func parseSexagesimal(s string) (int64, error) {
	neg := strings.HasPrefix(s, "-")
	var total int64
	for part := range strings.SplitSeq(strings.TrimLeft(s, "+-"), ":") {
		v, err := strconv.ParseInt(part, 10, 64)
		if err != nil || total > 1<<50 {
			return 0, fmt.Errorf("%q is out of range", s)
		}
		total = total*60 + v
	}
	if neg {
		total = -total
	}
	return total, nil
}
