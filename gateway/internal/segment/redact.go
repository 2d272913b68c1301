package segment

import (
	"bytes"
	"regexp"
)

var writeKeyMember = regexp.MustCompile(`("writeKey"\s*:\s*")(?:[^"\\]|\\.)*`)

// WithoutKey returns raw without the write key in it: whoever may look at what was sent may not therefore send.
func WithoutKey(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`"writeKey"`)) {
		return raw
	}
	return writeKeyMember.ReplaceAll(raw, []byte("${1}***"))
}
