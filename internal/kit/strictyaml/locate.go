package strictyaml

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Locate puts in front of each problem where it stands. A problem begins with its place; of something that is missing, the position is
// that of what it is missing in. Problems of values that Decode could not read are left out: they follow from that.
func (d *Document) Locate(problems []error) []error {
	if d.root == nil {
		return problems
	}
	all := make([]error, 0, len(problems))
	for _, problem := range problems {
		if at, known := d.find(problem.Error()); known {
			all = append(all, located(at, problem))
		}
	}
	return all
}

// find returns the node that shows where a text's place is, as far as there is one. Known is false within a value that could not be read.
func (d *Document) find(text string) (at *yaml.Node, known bool) {
	at = d.root
	for node := d.root; ; {
		wrong := d.wrong[node]
		if node.Kind == yaml.AliasNode {
			node = node.Alias
		}
		if wrong || d.wrong[node] {
			return nil, false
		}
		next, shows, length := d.step(node, text)
		if next == nil {
			return at, true
		}
		at, node, text = shows, next, strings.TrimPrefix(text[length:], ".")
	}
}

// step follows the first field or index of a text from a node, and returns what it leads to, what shows that, and how long it is.
func (d *Document) step(from *yaml.Node, text string) (next, shows *yaml.Node, length int) {
	if from.Kind == yaml.MappingNode {
		e, length := longest(d.keysOf(from), text)
		return e.value, e.key, length
	}
	index := anIndex.FindStringSubmatch(text)
	if from.Kind != yaml.SequenceNode || index == nil {
		return nil, nil, 0
	}
	i, err := strconv.Atoi(index[1])
	if err != nil || i >= len(from.Content) {
		return nil, nil, 0
	}
	return from.Content[i], from.Content[i], len(index[0])
}

var anIndex = regexp.MustCompile(`^\[(\d+)\]`)

// keysOf returns the fields of a mapping by their names.
func (d *Document) keysOf(n *yaml.Node) map[string]entry {
	if known := d.keys[n]; known != nil {
		return known
	}
	keys := map[string]entry{}
	for _, e := range (&decoder{document: d, said: map[*yaml.Node]bool{}}).entries(n, nil) { // its problems are known by now
		keys[e.key.Value] = e
	}
	d.keys[n] = keys
	return keys
}

// longest returns the field with the longest name that a text begins with: names of dimensions may hold dots.
func longest(keys map[string]entry, text string) (found entry, length int) {
	for end := 1; end <= len(text); end++ {
		if end < len(text) && !strings.ContainsRune(".[:", rune(text[end])) {
			continue
		}
		if e, ok := keys[text[:end]]; ok {
			found, length = e, end
		}
	}
	return found, length
}
