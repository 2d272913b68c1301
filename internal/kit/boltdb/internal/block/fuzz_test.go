package block_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

// FuzzOpen opens what has a right checksum and is no block: every walk of it ends, and says so or finds rows.
func FuzzOpen(f *testing.F) {
	var sealer block.Sealer
	for _, m := range []map[string]string{{"a": ""}, {"a": "1", "aa": "2", "b": "3"}, drawn(200)} {
		rows := rowsOf(m)
		sealed := sealer.Seal(place, rows, true)
		f.Add(string(rows[0].Key), append([]byte(nil), sealed[:len(sealed)-4]...))
	}
	f.Fuzz(func(t *testing.T, key string, body []byte) {
		sum := crc32.Update(crc32.Update(uint32(place), crc32.MakeTable(crc32.Castagnoli), []byte(key)), crc32.MakeTable(crc32.Castagnoli), body)
		b, _, err := block.Open(place, []byte(key), binary.BigEndian.AppendUint32(body[:len(body):len(body)], sum), nil)
		if err != nil {
			return
		}
		_, unsound := b.Check(nil)
		sound := unsound == nil
		rows := b.Rows()
		n := 0
		for ok := rows.First(); ok; ok = rows.Next() {
			if n++; n > 1<<20 {
				t.Fatal("there is no end of rows")
			}
		}
		if n > 1<<10 {
			return // each step backwards looks at all rows since the last place, of which there may be none
		}
		back := b.Rows()
		for ok := back.Last(); ok; ok = back.Prev() {
			if n--; n < -1<<20 {
				t.Fatal("there is no beginning of rows")
			}
		}
		for _, r := range []*block.Rows{&rows, &back} {
			if r.Err() != nil && (sound || !errors.Is(r.Err(), block.ErrDamaged)) {
				t.Fatalf("sound %v, and yet %v", sound, r.Err())
			}
		}
		if sound && n != 0 {
			t.Fatalf("%d rows more forwards than backwards", n)
		}
		other := b.Rows()
		other.Seek([]byte("b"))
	})
}

// drawn returns so many rows.
func drawn(n int) map[string]string {
	m := map[string]string{}
	for i := range n {
		m[string(binary.BigEndian.AppendUint32(nil, uint32(i*i)))] = string(make([]byte, i%9))
	}
	return m
}
