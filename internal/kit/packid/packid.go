// Package packid writes identifiers compactly: most of them are, or end in, a UUID, whose 36 characters fit in 16 bytes.
package packid

import (
	"encoding/hex"
	"errors"
)

// ErrMalformed says that bytes are no packed identifier.
var ErrMalformed = errors.New("malformed packed id")

// The first byte says how the rest is to be read.
const (
	formPlain = 0 // the text itself
	formUUID  = 1 // 16 bytes of a UUID, then the text before it
)

const uuidLen = 36

// Append appends id so that Unpack returns exactly it. The form is for the end of a key: it does not say its own length, and it sorts
// in no useful order.
func Append(dst []byte, id string) []byte {
	if len(id) >= uuidLen {
		if u, ok := parseUUID(id[len(id)-uuidLen:]); ok {
			dst = append(dst, formUUID)
			dst = append(dst, u[:]...)
			return append(dst, id[:len(id)-uuidLen]...)
		}
	}
	return append(append(dst, formPlain), id...)
}

// Unpack returns the identifier that Append wrote.
func Unpack(packed []byte) (string, error) {
	switch {
	case len(packed) >= 1 && packed[0] == formPlain:
		return string(packed[1:]), nil
	case len(packed) >= 17 && packed[0] == formUUID:
		return string(packed[17:]) + formatUUID(packed[1:17]), nil
	}
	return "", ErrMalformed
}

// parseUUID takes only the lower-case form that formatUUID writes, or two different ids would become one.
func parseUUID(s string) (u [16]byte, ok bool) {
	n := 0
	for i := 0; i < uuidLen; {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return u, false
			}
			i++
			continue
		}
		high, low := unhex(s[i]), unhex(s[i+1])
		if high > 15 || low > 15 {
			return u, false
		}
		u[n] = high<<4 | low
		n++
		i += 2
	}
	return u, true
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

func formatUUID(u []byte) string {
	out := make([]byte, 0, uuidLen)
	for i, cut := range []int{4, 6, 8, 10, 16} {
		if i > 0 {
			out = append(out, '-')
		}
		from := []int{0, 4, 6, 8, 10}[i]
		out = hex.AppendEncode(out, u[from:cut])
	}
	return string(out)
}
