// Package tabular writes rows as lines of JSON or of CSV.
//
// Both come from one description of a row, an Object. In JSON it is an object with its fields in their order; in CSV the fields of objects
// within it become columns of their own, "traits.name". What would steer a terminal is escaped in both.
package tabular

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sojournhq/sojourn/internal/kit/terminal"
)

// Object is fields in their order. Rows of one table have the same fields, also those that are not set.
type Object []Field

// Field is a named value: a string, an int64, a float64, a bool, []string, Object, Loose, []Object, or nil where it is not set. JSON leaves
// out what is not set.
type Field struct {
	Name  string
	Value any
}

// Loose is an object whose fields differ from row to row. In CSV it is one column that holds JSON, as is a list of objects.
type Loose Object

// AppendJSON appends the row as a line of JSON.
func AppendJSON(dst []byte, row Object) ([]byte, error) {
	dst, err := appendObject(dst, row)
	return append(dst, '\n'), err
}

func appendObject(dst []byte, o Object) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for _, f := range o {
		if f.Value == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		var err error
		if dst, err = appendValue(dst, f.Name); err != nil {
			return nil, err
		}
		if dst, err = appendValue(append(dst, ':'), f.Value); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func appendValue(dst []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case Object:
		return appendObject(dst, v)
	case Loose:
		return appendObject(dst, Object(v))
	case []Object:
		dst = append(dst, '[')
		for i, o := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendObject(dst, o); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case []string:
		if v == nil {
			value = []string{}
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("encode a value: %w", err)
	}
	return append(dst, terminal.Escape(strings.TrimSuffix(text.String(), "\n"))...), nil
}

// Sheet writes rows as CSV.
type Sheet struct {
	text bytes.Buffer
	// Exact leaves text as it is. Otherwise text that a spreadsheet would take for a formula gets a ' in front of it, and what would steer
	// a terminal is escaped: what customers' users type must not run on the machine of whoever opens the file.
	Exact bool
}

// Header writes the names of the columns of a row.
func (s *Sheet) Header(row Object) error { return s.line(names(nil, "", row)) }

// Row writes a row.
func (s *Sheet) Row(row Object) error {
	cells, err := s.cells(nil, row)
	if err != nil {
		return err
	}
	return s.line(cells)
}

// String returns what was written.
func (s *Sheet) String() string { return s.text.String() }

func (s *Sheet) line(cells []string) error {
	w := csv.NewWriter(&s.text)
	if err := w.Write(cells); err != nil {
		return fmt.Errorf("write a line of CSV: %w", err)
	}
	w.Flush()
	return w.Error()
}

func names(dst []string, prefix string, row Object) []string {
	for _, f := range row {
		if inner, ok := f.Value.(Object); ok {
			dst = names(dst, prefix+f.Name+".", inner)
			continue
		}
		dst = append(dst, prefix+f.Name)
	}
	return dst
}

func (s *Sheet) cells(dst []string, row Object) ([]string, error) {
	for _, f := range row {
		switch v := f.Value.(type) {
		case nil:
			dst = append(dst, "")
		case string:
			dst = append(dst, s.safe(v))
		case []string:
			dst = append(dst, s.safe(strings.Join(v, " ")))
		case int64:
			dst = append(dst, strconv.FormatInt(v, 10))
		case Object:
			var err error
			if dst, err = s.cells(dst, v); err != nil {
				return nil, err
			}
		default: // numbers and truth values as JSON has them; JSON of objects and lists begins with a bracket, which is no formula
			text, err := appendValue(nil, v)
			if err != nil {
				return nil, err
			}
			dst = append(dst, string(text))
		}
	}
	return dst, nil
}

func (s *Sheet) safe(text string) string {
	if s.Exact {
		return text
	}
	if isFormula(text) {
		text = "'" + text
	}
	return terminal.Escape(text)
}

// isFormula says whether a spreadsheet could take text for a formula. Some drop what cannot be seen in front of it, and some read the
// full-width forms, which input methods write in East Asia, as the plain ones.
func isFormula(text string) bool {
	seen := strings.TrimLeftFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
	})
	first, _ := utf8.DecodeRuneInString(seen)
	return strings.ContainsRune("=+-@＝＋－＠", first)
}
