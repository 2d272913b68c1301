package segment

import "github.com/go-json-experiment/json/jsontext"

// Outlined says whether raw goes the short way.
func Outlined(raw []byte) bool { return new(outline).read(raw) }

// ParseSlowly is Parse the long way.
func ParseSlowly(raw []byte, o *Options) (Parsed, *Rejection) {
	p := newParser(raw, o)
	defer p.free()
	return p.parse()
}

// Strict says whether raw is good JSON by the library.
func Strict(raw []byte) bool { return !deeperThan(maxDepth, raw) && jsontext.Value(raw).IsValid() }
