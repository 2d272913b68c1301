package rows

import (
	"encoding/binary"
	"testing"
)

// Hashes that begin alike, or end alike, or are the same, are no reason for rows not to be found, or for the index to become large.
func TestTheIndexFindsEveryRowHoweverHashesAreSpread(t *testing.T) {
	const rows = 1200
	for name, hash := range map[string]func(i uint64) uint64{
		"evenly":      func(i uint64) uint64 { return i * 0x9e3779b97f4a7c15 },
		"first bits":  func(i uint64) uint64 { return i << 44 },
		"middle bits": func(i uint64) uint64 { return i << 32 },
		"last bits":   func(i uint64) uint64 { return i },
		"not at all":  func(uint64) uint64 { return 7 },
	} {
		l := New()
		for round := range 3 { // also when it was emptied
			for i := range uint64(rows) {
				key := binary.BigEndian.AppendUint64(nil, i)
				if l.find(hash(i), 1, key) != nil {
					t.Fatalf("%s: row %d is there before it is added", name, i)
				}
				l.Set(hash(i), 1, key, key)
				if r := l.find(hash(i/2), 1, binary.BigEndian.AppendUint64(nil, i/2)); r == nil {
					t.Fatalf("%s: row %d is gone after row %d, round %d", name, i/2, i, round)
				}
			}
			for i := range uint64(rows) {
				if l.find(hash(i), 1, binary.BigEndian.AppendUint64(nil, i)) == nil {
					t.Fatalf("%s: row %d is not found", name, i)
				}
			}
			if entries := len(*l.index.directory.Load()); entries > rows/16 {
				t.Errorf("%s: a directory of %d entries", name, entries)
			}
			l.Reset()
		}
	}
}
