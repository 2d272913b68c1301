// Package strictyaml reads YAML into Go values, and names everything that is wrong with it at once.
//
// Every problem has the line and the column, and the place in the document, such as workspaces[0].sources[1].id. None shows what is
// written there, for a file may hold secrets. Unknown fields, fields that stand twice, values of a wrong type, tags, more than one document
// and aliases that repeat more than a million values are problems. Reading takes time and memory in proportion to the text.
//
// Fields have the names of their yaml tags. A null is a field that is not set. Text takes any single value as it is written, so that 12 and
// true need no quotes.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Text is what is written as one value and understands it itself, such as a duration.
type Text interface {
	// SetText takes the value as it is written, and remembers what is wrong with it.
	SetText(text string)
}

// ShortForm is a struct that may be written as a text alone, in place of its fields.
type ShortForm interface {
	// SetShort takes the text.
	SetShort(text string)
}

// Document is a YAML document. It is used by one goroutine.
type Document struct {
	root *yaml.Node // nil: the text holds nothing
	// wrong are the values that Decode could not read, and keys are the fields of the mappings that Locate has looked at.
	wrong map[*yaml.Node]bool
	keys  map[*yaml.Node]map[string]entry
}

// Parse reads the only document of a text. An error says what is no YAML, with its position.
func Parse(text []byte) (d *Document, err error) {
	defer func() {
		if recover() != nil { // a file that is changed while everything runs must not end it
			d, err = nil, errors.New("the YAML cannot be read: look for tags (!), anchors (&) and aliases (*) that are out of place")
		}
	}()
	loader, err := yaml.NewLoader(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read YAML: %w", err)
	}
	d = &Document{wrong: map[*yaml.Node]bool{}, keys: map[*yaml.Node]map[string]entry{}}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return d, nil
	case err != nil:
		return nil, syntaxError(err, text)
	}
	d.root = first.Content[0]
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
		return d, nil
	case err != nil:
		return nil, syntaxError(err, text)
	}
	return nil, fmt.Errorf("[%d:%d] a second document begins here (---): put everything into the first", second.Line, second.Column)
}

// syntaxError returns the library's error in the form of all others, and without what it shows of the text.
func syntaxError(err error, text []byte) error {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		return errors.New("the YAML cannot be read")
	}
	what, _, _ := strings.Cut(e.Message, " (value: ")
	switch {
	case e.Stage == yaml.ComposerStage:
		what = "an alias (*) names no anchor (&) above it: quote a text that begins with *"
	case strings.HasPrefix(what, "found character '") && strings.Contains(what, "tag"):
		what = "found a tag (!) that is none: quote a text that begins with !"
	}
	at := e.Mark
	if e.Stage == yaml.ReaderStage { // which counts bytes alone
		before := text[:min(at.Index, len(text))]
		line := before[bytes.LastIndexByte(before, '\n')+1:]
		at.Line, at.Column = 1+bytes.Count(before, []byte("\n")), 1+utf8.RuneCount(line)
	}
	return fmt.Errorf("[%d:%d] the YAML cannot be read: %s", at.Line, at.Column, what)
}

// Encode returns the YAML of a value, which Parse and Decode read. Types with MarshalYAML write themselves.
func Encode(value any) ([]byte, error) {
	text, err := yaml.Dump(value, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("encode YAML: %w", err)
	}
	return text, nil
}
