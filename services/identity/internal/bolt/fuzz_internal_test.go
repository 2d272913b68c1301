package bolt

import (
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

// FuzzKept reads rejected calls from any key and value, also from a value whose checksum is right.
func FuzzKept(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x01"), []byte("\x08\x01"))
	f.Fuzz(func(_ *testing.T, key, value []byte) {
		for _, sealed := range [][]byte{value, record.Seal(key, value)} {
			_, _, _ = decodeKept(key, sealed)
		}
	})
}
