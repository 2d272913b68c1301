package strictyaml

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxMerges is how deep mappings may be merged (<<) into each other.
const maxMerges = 10

// entry is one field of a mapping.
type entry struct {
	key, value *yaml.Node
	aliases    int // 1: it is another mapping's, merged into this one
}

// structure is what is known of a type of structs: its fields by name.
type structure struct {
	index map[string]int
	names []string
}

func (d *decoder) structureOf(t reflect.Type) *structure {
	if known := d.structs[t]; known != nil {
		return known
	}
	s := &structure{index: map[string]int{}}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name != "" {
			s.index[name] = i
			s.names = append(s.names, name)
		}
	}
	d.structs[t] = s
	return s
}

// fields reads a mapping into a struct.
func (d *decoder) fields(n *yaml.Node, into reflect.Value) {
	known := d.structureOf(into.Type())
	for _, e := range d.entries(n, known.names) {
		d.aliases += e.aliases
		if i, ok := known.index[e.key.Value]; ok {
			d.member(e, into.Field(i))
		} else {
			d.unknown(e.key, known.names)
		}
		d.aliases -= e.aliases
	}
}

// members reads a mapping into a map.
func (d *decoder) members(n *yaml.Node, into reflect.Value) {
	entries := d.entries(n, nil)
	made := reflect.MakeMapWithSize(into.Type(), len(entries))
	for _, e := range entries {
		value := reflect.New(into.Type().Elem()).Elem()
		d.aliases += e.aliases
		d.member(e, value)
		d.aliases -= e.aliases
		made.SetMapIndex(reflect.ValueOf(e.key.Value), value)
	}
	into.Set(made)
}

// member reads the value of one field.
func (d *decoder) member(e entry, into reflect.Value) {
	if isNull(e.value) {
		return
	}
	d.path = append(d.path, step{field: e.key.Value, item: -1, at: e.key})
	d.value(e.value, into)
	d.path = d.path[:len(d.path)-1]
}

// entries returns the fields of a mapping, also those that are merged into it: its own go before them, and earlier ones before later ones.
func (d *decoder) entries(n *yaml.Node, names []string) []entry {
	if n.Kind != yaml.MappingNode {
		if names == nil {
			d.refuse(n, "has no fields: write name: value")
		} else {
			d.refuse(n, "has no fields: write name: value, with the names "+strings.Join(names, ", "))
		}
		return nil
	}
	entries := make([]entry, 0, len(n.Content)/2)
	seen := make(map[string]bool, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.add(key, "a name of a field that is no text: write name: value")
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
		case seen[key.Value]:
			d.named(key, "stands twice: take one away")
		default:
			seen[key.Value] = true
			entries = append(entries, entry{key: key, value: value})
		}
	}
	for _, from := range merged {
		for _, e := range d.merge(from) {
			if !seen[e.key.Value] {
				seen[e.key.Value] = true
				entries = append(entries, entry{e.key, e.value, 1})
			}
		}
	}
	return entries
}

// merge returns the fields of the mapping, or of the list of mappings, that is merged into another one.
func (d *decoder) merge(from *yaml.Node) []entry {
	if d.aliases == 0 {
		d.outermost = from
	}
	if from.Kind == yaml.AliasNode {
		from = from.Alias
	}
	if !d.repeat(1 + len(from.Content)) {
		return nil
	}
	if d.merges == maxMerges {
		d.exceed(from, fmt.Sprintf("fields are merged (<<) more than %d deep: write them out", maxMerges))
		return nil
	}
	d.merges++
	defer func() { d.merges-- }()
	switch from.Kind {
	case yaml.MappingNode:
		return d.entries(from, nil)
	case yaml.SequenceNode:
		var entries []entry
		for _, one := range from.Content {
			entries = append(entries, d.merge(one)...)
		}
		return entries
	default:
		d.add(from, "what is merged (<<) has no fields: name a mapping by its alias (*)")
		return nil
	}
}

// unknown notes a field that there is not.
func (d *decoder) unknown(key *yaml.Node, names []string) {
	what := "unknown field: the fields here are " + strings.Join(names, ", ")
	if looksLikeAName.MatchString(key.Value) {
		d.named(key, what)
	} else {
		d.add(key, what)
	}
}

// named notes a problem of the field with that key.
func (d *decoder) named(key *yaml.Node, what string) {
	d.path = append(d.path, step{field: key.Value, item: -1, at: key})
	d.add(key, what)
	d.path = d.path[:len(d.path)-1]
}

// looksLikeAName is what is shown of names that nobody knows. A key that landed there by mistake is longer, or holds digits.
var looksLikeAName = regexp.MustCompile(`^[A-Za-z_]{1,24}$`)
