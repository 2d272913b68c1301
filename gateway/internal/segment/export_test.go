package segment

import "github.com/go-json-experiment/json/jsontext"

// Outlined says whether raw goes the short way.
func Outlined(raw []byte) bool { return new(outline).read(raw) }

// ParseSlowly is Parse the long way.
func ParseSlowly(raw []byte, o *Options) (Parsed, *Rejection) {
	p := newParser(raw, o)
	defer p.free()
	p.nullNotNumbers()
	return p.parse()
}

// Nulled returns raw with null in the place of what is no number, and whether there was any.
func Nulled(raw []byte) ([]byte, bool) {
	places := notNumbers(raw)
	return nulled(raw, places), len(places) > 0
}

// MaxShared is how much the calls of one batch may take of the traits in its context.
const MaxShared = maxShared

// Strict says whether raw is good JSON by the library.
func Strict(raw []byte) bool { return !deeperThan(maxDepth, raw) && jsontext.Value(raw).IsValid() }
