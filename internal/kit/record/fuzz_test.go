package record_test

import (
	"bytes"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

// FuzzOpen opens any value: what opens is what was sealed under that key.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("key"), []byte("value"))
	f.Add([]byte("key"), record.Seal([]byte("key"), []byte("value")))
	f.Fuzz(func(t *testing.T, key, sealed []byte) {
		if value, err := record.Open(key, sealed); err == nil && !bytes.Equal(record.Seal(key, value), sealed) {
			t.Errorf("%x opened to %x, which seals otherwise", sealed, value)
		}
	})
}
