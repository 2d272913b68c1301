package segment

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
)

// writeKeyMember is a write key in JSON, which need not end. Of its name any letter may be escaped, as JSON allows.
var writeKeyMember = regexp.MustCompile(`("` + escapable("writeKey") + `"\s*:\s*")(?:[^"\\]|\\.)*`)

// escapable returns an expression for text, each letter as it is or as \u and its code.
func escapable(text string) string {
	var b bytes.Buffer
	for _, letter := range text {
		fmt.Fprintf(&b, `(?:%c|\\u(?i:%04x))`, letter, letter)
	}
	return b.String()
}

// WithoutKey returns raw without the write key in it: whoever may look at what was sent may not therefore send.
func WithoutKey(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`"writeKey"`)) && !bytes.Contains(raw, []byte(`\u`)) {
		return raw
	}
	return writeKeyMember.ReplaceAll(raw, []byte("${1}***"))
}

// Kept returns what is kept of r to be looked at: what was sent, without the write key. Of what is encoded, or looks like it, that is
// nothing: neither the key could be found in it, nor a user who is deleted.
func (r *Rejection) Kept() []byte {
	if r.Encoded || slices.ContainsFunc(encodings, func(begin []byte) bool { return bytes.HasPrefix(r.Raw, begin) }) {
		return nil
	}
	return WithoutKey(r.Raw)
}

// encodings are how gzip begins, and UTF-16 with its mark or with what JSON begins with.
var encodings = [][]byte{
	{0x1f, 0x8b}, {0xff, 0xfe}, {0xfe, 0xff}, {'{', 0}, {0, '{'}, {'[', 0}, {0, '['},
}
