package segment

import "github.com/go-json-experiment/json/jsontext"

// Signed returns the part of a body that Segment signs: of an array its first element alone, byte for byte as it stands there, and of
// anything else all of it.
func Signed(body []byte) []byte {
	if !IsArray(body) {
		return body
	}
	d := decoder(numbered(body, notNumbers(body)), true)
	if _, err := d.ReadToken(); err != nil || d.PeekKind() == jsontext.KindEndArray {
		return body
	}
	first, err := readSpan(d)
	if err != nil {
		return body
	}
	return first.of(body)
}
