package bolt

import (
	"bytes"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/record"
)

// FuzzKeys reads keys of events and of sums: whatever is read is written the same again.
func FuzzKeys(f *testing.F) {
	f.Add([]byte{})
	f.Add(usageKey{account: 1, user: 2, day: 20_000, module: 3, feature: 4}.bytes())
	f.Add([]byte("\x01\x99\x00\x00\x00\x00message"))
	f.Fuzz(func(t *testing.T, key []byte) {
		if p, err := parseEventKey(key); err == nil && !bytes.Equal(appendEventKey(nil, p), key) {
			t.Errorf("the key %x of an event became %x", key, appendEventKey(nil, p))
		}
		if k, err := parseUsageKey(key); err == nil && !bytes.Equal(k.bytes(), key) {
			t.Errorf("the key %x of a sum became %x", key, k.bytes())
		}
	})
}

// FuzzRows reads rows of events and of sums from any key and value, also from a value whose checksum is right: whatever is read can be
// written, and is read the same again.
func FuzzRows(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte("key"), eventRow{1, 2, 3, 4}.append(nil))
	f.Add([]byte("key"), usageRow{1, 20_000, 1 << 42}.append(nil))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		_, _ = readEvent(key, value)
		_, _ = readUsage(key, value)
		sealed := record.Seal(key, slices.Clip(value))
		if r, err := readEvent(key, sealed); err == nil {
			if again, err := readEvent(key, record.Seal(key, r.append(nil))); err != nil || again != r {
				t.Errorf("the event %+v became %+v, %v", r, again, err)
			}
		}
		if r, err := readUsage(key, sealed); err == nil {
			if again, err := readUsage(key, record.Seal(key, r.append(nil))); err != nil || again != r {
				t.Errorf("the sum %+v became %+v, %v", r, again, err)
			}
		}
	})
}
