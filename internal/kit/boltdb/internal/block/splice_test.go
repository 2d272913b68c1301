package block_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

// Whatever rows are put into a block and taken out of it one after the other, it is as if it had been made of what is left.
func TestABlockThatIsSplicedHoldsTheRowsThatItWouldBeMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shared := rapid.SampledFrom([]string{"", "b", "common"}).Draw(t, "shared") // with the key of the block
		m := map[string]string{}
		for _, key := range slices.Sorted(maps.Keys(drawRows(t))) {
			m[shared+key] = drawValue(t, shared+key)
		}
		least := slices.Min(slices.Collect(maps.Keys(m)))
		b := open(t, m)
		var splicer block.Splicer
		var sealer block.Sealer
		deletes := rapid.IntRange(1, 5).Draw(t, "deletes of five") // many empty runs, and few fill them
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			key := shared + rapid.StringMatching("[a-c]{1,5}|(prefix){0,3}[a-c]{1,3}").Draw(t, "key")
			if rapid.Bool().Draw(t, "known") {
				key = rapid.SampledFrom(slices.Sorted(maps.Keys(m))).Draw(t, "known key")
			}
			change := block.Change{Key: []byte(key), Deleted: rapid.IntRange(1, 5).Draw(t, "deleted") <= deletes}
			if !change.Deleted {
				change.Value = []byte(drawValue(t, key))
			}
			spliced, ok := splicer.Splice(b, change)
			if mayStay := key > least || key == least && !change.Deleted; ok != mayStay {
				t.Fatalf("spliced %v, want %v", ok, mayStay)
			}
			if !ok {
				continue
			}
			if delete(m, key); !change.Deleted {
				m[key] = string(change.Value)
			}
			if b = spliced; rapid.Bool().Draw(t, "sealed") {
				var err error
				if b, _, err = block.Open(place, []byte(least), bytes.Clone(sealer.SealAgain(place, b)), nil); err != nil {
					t.Fatal(err)
				}
			}
			checkHolds(t, b, m)
		}
	})
}

// checkHolds compares every way to read a block with what it must hold.
func checkHolds(t *rapid.T, b block.Block, m map[string]string) {
	if _, err := b.Check(nil); err != nil {
		t.Fatal(err)
	}
	sorted := slices.Sorted(maps.Keys(m))
	rows := b.Rows()
	var got []string
	for ok := rows.First(); ok; ok = rows.Next() {
		got = append(got, string(rows.Key()))
		if value := rows.AppendValue(nil); string(value) != m[string(rows.Key())] || len(value) != rows.ValueSize() {
			t.Fatalf("%q holds %q of %d bytes, want %q", rows.Key(), value, rows.ValueSize(), m[string(rows.Key())])
		}
	}
	if !slices.Equal(got, sorted) {
		t.Fatalf("forwards %q, want %q", got, sorted)
	}
	got = nil
	for ok := rows.Last(); ok; ok = rows.Prev() {
		got = append(got, string(rows.Key()))
	}
	if slices.Reverse(got); !slices.Equal(got, sorted) {
		t.Fatalf("backwards %q, want %q", got, sorted)
	}
	for _, key := range sorted {
		if !rows.Seek([]byte(key)) || string(rows.Key()) != key {
			t.Fatalf("%q is not found", key)
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
}
