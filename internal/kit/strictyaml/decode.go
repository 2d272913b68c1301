package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Decode reads the document into the struct that into points to, and returns every problem, in the order of the text. With problems, the
// struct has what could be read. The error is that of a document that is not read to its end.
func (d *Document) Decode(into any) (problems []error, err error) {
	if d.root == nil || isNull(d.root) {
		return nil, nil
	}
	reading := decoder{document: d, said: map[*yaml.Node]bool{}, structs: map[reflect.Type]*structure{}}
	reading.value(d.root, reflect.ValueOf(into).Elem())
	return reading.problems, reading.exceeded
}

const (
	// maxRepeated is how many values may be read through aliases.
	maxRepeated = 1_000_000
	// maxDepth is how deep a value may stand within others, of which an alias may be one.
	maxDepth = 100
)

// decoder reads one document.
type decoder struct {
	document *Document
	problems []error
	said     map[*yaml.Node]bool // where they are
	path     []step
	structs  map[reflect.Type]*structure

	// aliases is through how many aliases the current value is read, outermost is the first of them or what is merged, merges is within how
	// many merged mappings the value stands, and repeated is how many values were read through aliases so far.
	aliases, merges, repeated int
	outermost                 *yaml.Node
	// exceeded is the limit beyond which nothing more is read.
	exceeded error
}

// step leads from a value to one within it: to a field, or to an item of a list.
type step struct {
	field string
	item  int // -1: a field
	at    *yaml.Node
}

// value reads a node that is not null.
func (d *decoder) value(n *yaml.Node, into reflect.Value) {
	if n.Kind == yaml.AliasNode {
		if d.aliases == 0 {
			d.outermost = n
		}
		d.aliases++
		d.value(n.Alias, into)
		d.aliases--
		return
	}
	if d.exceeded != nil || d.aliases > 0 && !d.repeat(1) {
		return
	}
	if len(d.path) > maxDepth {
		d.exceed(n, fmt.Sprintf("more than %d deep within other values: look for an alias (*) within what it names", maxDepth))
		return
	}
	if foreign(n) {
		d.refuse(n, "a tag (!) means nothing here: take it away, or quote the text")
		return
	}
	switch to := into.Addr().Interface().(type) {
	case Text:
		if d.isScalar(n) {
			to.SetText(n.Value)
		}
		return
	case ShortForm:
		if n.Kind == yaml.ScalarNode {
			if n.ShortTag() != "!!str" {
				d.refuse(n, "neither a text nor fields: quote it if it is a text")
				return
			}
			to.SetShort(n.Value)
			return
		}
	}
	switch into.Kind() {
	case reflect.Pointer:
		target := reflect.New(into.Type().Elem())
		d.value(n, target.Elem())
		into.Set(target)
	case reflect.Struct:
		d.fields(n, into)
	case reflect.Map:
		d.members(n, into)
	case reflect.Slice:
		d.items(n, into)
	default:
		d.scalar(n, into)
	}
}

// repeat counts values that are read through an alias, and says whether they may be.
func (d *decoder) repeat(n int) bool {
	if d.repeated += n; d.repeated > maxRepeated {
		d.exceed(d.outermost, fmt.Sprintf("aliases (*) repeat more than %d values: use fewer of them", maxRepeated))
	}
	return d.exceeded == nil
}

// exceed ends the reading.
func (d *decoder) exceed(at *yaml.Node, what string) {
	if d.exceeded == nil {
		d.exceeded = located(at, errors.New(d.place()+what))
	}
}

// foreign says whether a node has a tag of its own, which would need somebody who knows it.
func foreign(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle == 0 {
		return false
	}
	switch n.ShortTag() {
	case "!!str", "!!bool", "!!int", "!!float", "!!null", "!!seq", "!!map":
		return false
	}
	return true
}

func isNull(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// items reads a list.
func (d *decoder) items(n *yaml.Node, into reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.refuse(n, "no list: write [one, two]")
		return
	}
	list := reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.path = append(d.path, step{item: i, at: item})
		if isNull(item) {
			d.refuse(item, "empty: write a value, in quotes if it is the word null")
		} else {
			d.value(item, list.Index(i))
		}
		d.path = d.path[:len(d.path)-1]
	}
	into.Set(list)
}

// isScalar says whether a node is a single value, and notes the problem if not.
func (d *decoder) isScalar(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		d.refuse(n, "a list or fields where one value belongs: write the value alone")
	}
	return n.Kind == yaml.ScalarNode
}

// scalar reads a single value.
func (d *decoder) scalar(n *yaml.Node, into reflect.Value) {
	if !d.isScalar(n) {
		return
	}
	switch tag := n.ShortTag(); into.Kind() {
	case reflect.String:
		into.SetString(n.Value)
	case reflect.Bool:
		into.SetBool(strings.EqualFold(n.Value, "true"))
		if tag != "!!bool" || !into.Bool() && !strings.EqualFold(n.Value, "false") {
			d.refuse(n, "neither true nor false")
		}
	case reflect.Int:
		if tag != "!!int" || n.Load(into.Addr().Interface()) != nil {
			d.refuse(n, "no whole number, such as 100")
		}
	case reflect.Float64:
		if tag != "!!int" && tag != "!!float" || n.Load(into.Addr().Interface()) != nil {
			d.refuse(n, "no number, such as 0.5")
		}
	default:
		panic(fmt.Sprintf("strictyaml does not read a %v", into.Type()))
	}
}

// refuse notes a problem for which a value is not read at all.
func (d *decoder) refuse(n *yaml.Node, what string) {
	d.document.wrong[n] = true
	d.add(d.here(), what)
}

// add notes a problem of the value that is read, and the position of a node. What is wrong with values that aliases repeat is said once.
func (d *decoder) add(at *yaml.Node, what string) {
	if (d.aliases > 0 || d.merges > 0) && d.said[at] {
		return
	}
	d.said[at] = true
	d.problems = append(d.problems, located(at, errors.New(d.place()+what)))
}

// here returns the node that shows where the value stands that is read: its field, or the item of the list.
func (d *decoder) here() *yaml.Node {
	if len(d.path) == 0 {
		return d.document.root
	}
	return d.path[len(d.path)-1].at
}

// place returns the place of the value that is read, as problems begin with it.
func (d *decoder) place() string {
	var place strings.Builder
	for _, s := range d.path {
		switch {
		case s.item >= 0:
			fmt.Fprintf(&place, "[%d]", s.item)
		case place.Len() > 0:
			place.WriteString("." + s.field)
		default:
			place.WriteString(s.field)
		}
	}
	if place.Len() > 0 {
		place.WriteString(": ")
	}
	return place.String()
}

// located puts the position of a node in front of a problem.
func located(at *yaml.Node, problem error) error {
	return fmt.Errorf("[%d:%d] %w", at.Line, at.Column, problem)
}
