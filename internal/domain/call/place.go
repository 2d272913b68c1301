package call

import (
	"errors"
	"strings"
)

// Place is where a value can stand in calls: a trait of the calls of one type.
type Place struct {
	// Type is Group or Identify: no other calls have traits.
	Type Type
	// Path is that of a Trait.
	Path string
}

// MaxPath is how long the path of a place may be, in bytes.
const MaxPath = 1 << 10

// Errors of ParsePlace.
var (
	ErrPlaceType  = errors.New(`does not begin with "group." or "identify."`)
	ErrPlacePath  = errors.New("is no path: keys are joined by dots, and a dot or backslash in a key is escaped by a backslash")
	ErrPlaceLarge = errors.New("is longer than 1024 bytes")
)

// ParsePlace reads what String writes.
func ParsePlace(text string) (Place, error) {
	name, path, _ := strings.Cut(text, ".")
	p := Place{Path: path}
	for _, t := range []Type{Group, Identify} {
		if name == t.String() {
			p.Type = t
		}
	}
	switch {
	case p.Type == 0:
		return Place{}, ErrPlaceType
	case len(path) > MaxPath:
		return Place{}, ErrPlaceLarge
	case !isPath(path):
		return Place{}, ErrPlacePath
	}
	return p, nil
}

// String writes the place as the type of the call and the path, as "group.address.country".
func (p Place) String() string { return p.Type.String() + "." + p.Path }

// Objects returns the paths of the objects that a path leads through, the outermost first.
func Objects(path string) []string {
	var objects []string
	if IsDimension(path) {
		return nil
	}
	for _, dot := range joints(path) {
		objects = append(objects, path[:dot])
	}
	return objects
}

// joints returns where the dots stand that join keys.
func joints(path string) (dots []int) {
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '.':
			dots = append(dots, i)
		}
	}
	return dots
}

// isPath says whether text is keys joined by dots, none of them empty.
func isPath(text string) bool {
	from := 0
	for _, dot := range append(joints(text), len(text)) {
		if dot == from || !isKey(text[from:dot]) {
			return false
		}
		from = dot + 1
	}
	return true
}

// isKey says whether backslashes escape what they may.
func isKey(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; i == len(text) || text[i] != '\\' && text[i] != '.' {
			return false
		}
	}
	return true
}
