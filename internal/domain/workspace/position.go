package workspace

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// positions are where in a file what can be set stands, by its place, such as workspaces[0].sources[1].id.
type positions map[string]*token.Position

// positionsOf returns the positions of everything in a document.
func positionsOf(document ast.Node) positions {
	p := positions{}
	p.visit("", document)
	return p
}

func (p positions) visit(place string, node ast.Node) {
	if node == nil {
		return
	}
	if place != "" {
		p[place] = start(node).Position
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			p.value(place, v)
		}
	case *ast.MappingValueNode:
		p.value(place, n)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			p.visit(fmt.Sprintf("%s[%d]", place, i), v)
		}
	case *ast.AnchorNode:
		p.visit(place, n.Value)
	case *ast.TagNode:
		p.visit(place, n.Value)
	}
}

// start returns the first token of a node. A mapping of several lines begins with its first key.
func start(node ast.Node) *token.Token {
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return node.GetToken()
}

// value notes the value of a key, at the key: an editor that goes there shows both.
func (p positions) value(place string, v *ast.MappingValueNode) {
	if place != "" {
		place += "."
	}
	place += v.Key.GetToken().Value
	p.visit(place, v.Value)
	p[place] = v.Key.GetToken().Position
}

// of returns the position of what a problem is about: of the longest place that the problem's text begins with. Of something that is
// missing it is that of what it is missing in.
func (p positions) of(problem string) (*token.Position, bool) {
	for end := len(problem); end > 0; end-- {
		if end < len(problem) && !strings.ContainsRune(".[:", rune(problem[end])) {
			continue
		}
		if at, ok := p[problem[:end]]; ok {
			return at, true
		}
	}
	return nil, false
}

// locate puts in front of each problem where it stands, as [line:column], in the way in which the YAML library does it.
func (p positions) locate(problems []error) error {
	located := make([]error, 0, len(problems))
	for _, problem := range problems {
		if at, ok := p.of(problem.Error()); ok {
			problem = fmt.Errorf("[%d:%d] %w", at.Line, at.Column, problem)
		}
		located = append(located, problem)
	}
	return errors.Join(located...)
}
