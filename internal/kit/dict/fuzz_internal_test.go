package dict

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

// FuzzRows reads names and numbers from any key and value, also from a value whose checksum is right.
func FuzzRows(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add(nameKey('u', "ada"), []byte{0, 0, 0, 7})
	f.Add(numberKey(7), []byte("ugrace"))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		_, errNumber := readNumber(key, value)
		_, errName := readName(7, key, value)
		for _, err := range []error{errNumber, errName} {
			if err != nil && !errors.Is(err, record.ErrCorrupt) {
				t.Errorf("read: %v", err)
			}
		}
		sealed := record.Seal(key, slices.Clip(value))
		n, err := readNumber(key, sealed)
		if (err == nil) != (len(value) == 4) || err == nil && n != binary.BigEndian.Uint32(value) {
			t.Errorf("%x is number %d, %v", value, n, err)
		}
		name, err := readName(7, key, sealed)
		if (err == nil) != (len(value) > 0) || err == nil && name != string(value[1:]) {
			t.Errorf("%x is the name %q, %v", value, name, err)
		}
	})
}
