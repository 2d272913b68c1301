// Package keys builds database keys whose bytes sort like the values they were built from, and that no two different lists of
// values share: ("a", "bc") is not ("ab", "c").
package keys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

// ErrMalformed says that bytes are no key of the expected shape.
var ErrMalformed = errors.New("malformed key")

// Inside a string a zero byte is written as 0x00 0xFF; 0x00 0x01 ends it. So the end sorts before every continuation.
const (
	escape     = 0x00
	escapedNul = 0xFF
	terminator = 0x01
)

// AppendString appends s so that strings sort bytewise and a shorter one before its continuations.
func AppendString(dst []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, escape)
		if i < 0 {
			break
		}
		dst = append(append(dst, s[:i+1]...), escapedNul)
		s = s[i+1:]
	}
	return append(append(dst, s...), escape, terminator)
}

// AppendUint32 appends four bytes, big end first.
func AppendUint32(dst []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(dst, v) }

// MaxTime is the greatest time that a key can hold.
const MaxTime = 1<<48 - 1

// AppendTime appends a time in milliseconds since 1970, from 0 to MaxTime, in six bytes, big end first.
func AppendTime(dst []byte, ms int64) []byte {
	return append(dst, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

// Reader takes a key apart in the order in which it was built. After the first failure all further reads return zero values.
type Reader struct {
	rest []byte
	err  error
}

// Read starts reading key, which it does not change or keep longer than the Reader lives.
func Read(key []byte) *Reader { return &Reader{rest: key} }

// Err returns ErrMalformed if any read so far found the key too short or damaged.
func (r *Reader) Err() error { return r.err }

// Rest returns the bytes not read yet.
func (r *Reader) Rest() []byte { return r.rest }

// String reads what AppendString appended.
func (r *Reader) String() string {
	var out []byte
	for r.err == nil {
		i := bytes.IndexByte(r.rest, escape)
		if i < 0 || i+1 >= len(r.rest) {
			break
		}
		part, mark := r.rest[:i], r.rest[i+1]
		r.rest = r.rest[i+2:]
		if mark == terminator && out == nil {
			return string(part) // as nearly always, there is no zero byte in it
		}
		out = append(out, part...)
		if mark == terminator {
			return string(out)
		}
		if mark != escapedNul {
			break
		}
		out = append(out, escape)
	}
	r.err = ErrMalformed
	return ""
}

// Uint32 reads what AppendUint32 appended.
func (r *Reader) Uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Time reads what AppendTime appended.
func (r *Reader) Time() int64 {
	b := r.take(6)
	if b == nil {
		return 0
	}
	return int64(b[0])<<40 | int64(b[1])<<32 | int64(b[2])<<24 | int64(b[3])<<16 | int64(b[4])<<8 | int64(b[5])
}

func (r *Reader) take(n int) []byte {
	if r.err != nil || len(r.rest) < n {
		r.err = ErrMalformed
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
