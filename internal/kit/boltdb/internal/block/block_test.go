package block_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

var place = block.PlaceOf([]string{"workspaces", "w", "events"})

// rowsOf returns sorted rows, and sealed ones among them as records are.
func rowsOf(m map[string]string) (rows []block.Row) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		rows = append(rows, block.RowOf([]byte(key), []byte(m[key])))
	}
	return rows
}

// drawRows draws rows with keys that share much or little, and values that are long, empty, or end in a checksum.
func drawRows(t *rapid.T) map[string]string {
	m := map[string]string{}
	for range rapid.IntRange(1, 70).Draw(t, "rows") {
		key := rapid.StringMatching("[a-c]{1,5}|(prefix){0,3}[a-c]{1,3}").Draw(t, "key")
		m[key] = drawValue(t, key)
	}
	return m
}

func drawValue(t *rapid.T, key string) string {
	value := strings.Repeat(key, rapid.IntRange(0, 20).Draw(t, "repeated"))
	if rapid.Bool().Draw(t, "sealed") {
		sum := crc32.Checksum([]byte(key+value), crc32.MakeTable(crc32.Castagnoli))
		value += string([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	}
	return value
}

// open seals and opens rows.
func open(t interface{ Fatal(args ...any) }, m map[string]string) block.Block {
	rows := rowsOf(m)
	var sealer block.Sealer
	b, _, err := block.Open(place, rows[0].Key, bytes.Clone(sealer.Seal(place, rows, true)), nil)
	if err == nil {
		_, err = b.Check(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestABlockHoldsTheRowsThatWereSealedInIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawRows(t)
		sorted := slices.Sorted(maps.Keys(m))
		b := open(t, m)
		checkHolds(t, b, m)
		rows := b.Rows()
		at := rapid.StringMatching("[a-cp]{0,3}|(prefix){0,3}[a-c]{0,3}").Draw(t, "seek")
		i, _ := slices.BinarySearch(sorted, at)
		for ok := rows.Seek([]byte(at)); ok || i < len(sorted); i++ {
			if !ok || i == len(sorted) || string(rows.Key()) != sorted[i] {
				t.Fatalf("sought %q in %q: %v, at %q", at, sorted, ok, rows.Key())
			}
			ok = rows.Next()
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
	})
}

func TestChangesMakeOfBlocksWhatTheyMakeOfAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawRows(t)
		opened := open(t, m)
		last := slices.Max(slices.Collect(maps.Keys(m)))
		changed := map[string]block.Change{}
		for range rapid.IntRange(0, 30).Draw(t, "changes") {
			key := rapid.StringMatching("[a-c]{1,5}|(prefix){0,3}[a-d]{1,3}").Draw(t, "key")
			changed[key] = block.Change{Key: []byte(key), Value: []byte(drawValue(t, key)), Deleted: rapid.Bool().Draw(t, "deleted")}
		}
		var changes []block.Change
		behind := 0
		for _, key := range slices.Sorted(maps.Keys(changed)) {
			changes = append(changes, changed[key])
			if m[key] = string(changed[key].Value); changed[key].Deleted {
				delete(m, key)
			}
			if key > last {
				behind++
			}
		}
		var merger block.Merger
		if got, err := merger.Add(opened, changes); err != nil || got != behind {
			t.Fatalf("%d changes are behind, %v; want %d", got, err, behind)
		}
		sizes := block.Sizes{Content: rapid.IntRange(20, 500).Draw(t, "content"), Sealed: rapid.IntRange(20, 500).Draw(t, "sealed")}
		cutter := block.Cutter{Sizes: sizes}
		cut := map[string]func(block.Place, []block.Row, func(key, sealed []byte) error) error{"even": cutter.Even, "full": cutter.Full}
		for name, cut := range cut {
			got := map[string]string{}
			before := ""
			err := cut(place, merger.Rows(), func(key, sealed []byte) error {
				b, _, err := block.Open(place, key, sealed, nil)
				if err == nil {
					_, err = b.Check([]byte(before))
				}
				rows := b.Rows()
				for ok := err == nil && rows.First(); ok; ok = rows.Next() {
					if got[string(rows.Key())] = string(rows.AppendValue(nil)); string(rows.Key()) <= before {
						err = fmt.Errorf("%q comes behind %q", rows.Key(), before)
					}
					before = string(rows.Key())
				}
				return errors.Join(err, rows.Err())
			})
			if err != nil || !maps.Equal(got, m) {
				t.Fatalf("%s: %q, %v; want %q", name, got, err, m)
			}
		}
	})
}

func TestFullBlocksAreAsLargeAsTheyMayBe(t *testing.T) {
	rows := make([]block.Row, 0, 4000)
	for i := range cap(rows) {
		rows = append(rows, block.RowOf(fmt.Appendf(nil, "%08d", i*7), fmt.Appendf(nil, "%x", i*0x9E3779B1)))
	}
	rows[700].Value = bytes.Repeat([]byte("large"), 2000)
	cutter := block.Cutter{Sizes: block.Sizes{Content: 4000, Sealed: 1000}}
	var sizes []int
	err := cutter.Full(place, rows, func(key, sealed []byte) error { sizes = append(sizes, len(key)+len(sealed)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	small := 0
	for _, size := range sizes {
		if size > 1000 {
			t.Errorf("a block of %d bytes", size)
		}
		if size < 900 {
			small++
		}
	}
	if small > 3 { // the last, that of the large row, and the one before that
		t.Errorf("%d of %d blocks are small: %d", small, len(sizes), sizes)
	}
}

func TestEveryBitOfABlockItsKeyAndItsPlaceCounts(t *testing.T) {
	rows := rowsOf(map[string]string{"a": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b": "2", "c": strings.Repeat("c", 40)})
	var sealer block.Sealer
	sealed := bytes.Clone(sealer.Seal(place, rows, true))
	for bit := range len(sealed) * 8 {
		broken := bytes.Clone(sealed)
		broken[bit/8] ^= 1 << (bit % 8)
		if _, _, err := block.Open(place, []byte("a"), broken, nil); !errors.Is(err, block.ErrDamaged) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	if _, _, err := block.Open(place, []byte("A"), sealed, nil); !errors.Is(err, block.ErrDamaged) {
		t.Errorf("under another key: %v", err)
	}
	for _, other := range [][]string{{"workspaces", "w", "usage"}, {"workspaces", "wevents"}, {"workspaces", "we", "vents"}} {
		if _, _, err := block.Open(block.PlaceOf(other), []byte("a"), sealed, nil); !errors.Is(err, block.ErrDamaged) {
			t.Errorf("in %q: %v", other, err)
		}
	}
}
