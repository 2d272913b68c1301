package bolt

import (
	"bytes"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

// FuzzRows reads every kind of row from any key and value, also from a value whose checksum is right.
func FuzzRows(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("\x00\x00\x00\x01\x01\x99\x00\x00\x00\x00message"), []byte("\x08\x01"))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		for _, sealed := range [][]byte{value, record.Seal(key, value)} {
			_, _, _ = decodeSession(key, sealed)
			_, _ = decodePoint(key, sealed)
			_, _ = decodeSum(key, sealed)
			_ = decodeDay(new(daySums), key, sealed)
			_, _ = decodeChange(key, sealed)
		}
		_, _, _, _ = parseDayKey(key)
		_, _ = parseID(key)
		_, _ = parseRules(string(value))
		if r, err := parseByStart(key); err == nil && !bytes.Equal(r.byStartKey(), key) {
			t.Errorf("the key %x became %x", key, r.byStartKey())
		}
	})
}
