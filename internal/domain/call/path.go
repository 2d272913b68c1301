package call

import "strings"

// ParsePath returns the keys that a path joins, as "address.country" is address, then country.
func ParsePath(text string) ([]string, error) {
	switch {
	case len(text) > MaxPath:
		return nil, ErrPlaceLarge
	case !isPath(text):
		return nil, ErrPlacePath
	}
	var keys []string
	from := 0
	for _, dot := range append(joints(text), len(text)) {
		keys = append(keys, unescaper.Replace(text[from:dot]))
		from = dot + 1
	}
	return keys, nil
}

var unescaper = strings.NewReplacer(`\\`, `\`, `\.`, `.`) //nolint:gochecknoglobals // never changed, and costly to make

// mappedDimension begins the paths of dimensions that a mapping fills. In a path of keys a backslash escapes a backslash or a dot.
const mappedDimension = `\:`

// DimensionPath returns the path of the trait by which a value that a source is mapped to find for a dimension travels with its call. No
// keys of a call can have this path.
func DimensionPath(name string) string { return mappedDimension + name }

// IsDimension says whether DimensionPath made the path.
func IsDimension(path string) bool { return strings.HasPrefix(path, mappedDimension) }

// Dimension returns the name that DimensionPath made the path of, or false.
func Dimension(path string) (name string, ok bool) { return strings.CutPrefix(path, mappedDimension) }

// Canonical returns what is the same for all ways to write a path: Segment itself says that the letter case of trait names varies. The
// path of a mapped dimension holds a name of the settings, which is written in one way.
func Canonical(path string) string {
	if IsDimension(path) {
		return path
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-' || r == ' ':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, path)
}
