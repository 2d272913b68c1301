package bolt

import (
	"bytes"
	"testing"
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
