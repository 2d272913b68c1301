package record_test

import (
	"errors"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

func TestARecordThatWasChangedOrMovedIsRefused(t *testing.T) {
	key, value := []byte("key"), []byte("a value")
	sealed := record.Seal(key, append([]byte(nil), value...))

	got, err := record.Open(key, sealed)
	if err != nil || string(got) != string(value) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if _, err := record.Open([]byte("kez"), sealed); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("moved to another key: %v, want ErrCorrupt", err)
	}
	for i := range sealed {
		for bit := range 8 {
			flipped := append([]byte(nil), sealed...)
			flipped[i] ^= 1 << bit
			if _, err := record.Open(key, flipped); !errors.Is(err, record.ErrCorrupt) {
				t.Errorf("bit %d of byte %d flipped: %v, want ErrCorrupt", bit, i, err)
			}
		}
	}
	for n := range sealed {
		if _, err := record.Open(key, sealed[:n]); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("cut to %d bytes: %v, want ErrCorrupt", n, err)
		}
	}
}
