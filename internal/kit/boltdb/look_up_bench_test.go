package boltdb_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// BenchmarkLookUp looks up rows that are in the data file, each in another block than the one before: in 2,000 blocks again and again, and
// all over the file. cpu-ns/op is what all threads of the process took.
func BenchmarkLookUp(b *testing.B) {
	const rows = 400_000
	const step = rows/2 + 101
	db := lookUps(b, rows)
	for name, row := range map[string]func(i int) int{
		"few blocks":  func(i int) int { return i % 1000 * 101 },
		"many blocks": func(i int) int { return i * step % rows },
	} {
		b.Run(name, func(b *testing.B) { lookUp(b, db, row) })
	}
}

// lookUps returns a store that has rows in its data file.
func lookUps(b *testing.B, rows int) *boltdb.DB {
	b.Helper()
	path := filepath.Join(b.TempDir(), "x.db")
	for from := 0; from < rows; from += 20_000 {
		db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1})
		if err != nil {
			b.Fatal(err)
		}
		err = db.Update(b.Context(), func(tx *boltdb.Tx) error { return fill(tx, from, 20_000) })
		if err == nil {
			err = db.Close() // so that it is in the data file
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}

func lookedUp(i int) []byte {
	return binary.BigEndian.AppendUint64([]byte("a user's own row"), uint64(i))
}

// fill writes rows of which half of the value is random.
func fill(tx *boltdb.Tx, from, rows int) error {
	t, err := tx.CreateBucketIfNotExists([]byte("t"))
	if err != nil {
		return err
	}
	dice := rand.New(rand.NewPCG(1, uint64(from)))
	for i := from; i < from+rows; i++ {
		var value [72]byte
		for at := 0; at < len(value)/2; at += 8 {
			binary.BigEndian.PutUint64(value[at:], dice.Uint64())
		}
		if err := t.Put(lookedUp(i), record.Seal(lookedUp(i), value[:])); err != nil {
			return err
		}
	}
	return nil
}

func lookUp(b *testing.B, db *boltdb.DB, row func(i int) int) {
	b.ReportAllocs()
	before := processorTime(b)
	err := db.View(func(tx *boltdb.Tx) error {
		t := tx.Bucket([]byte("t"))
		for i := range b.N {
			if t.Get(lookedUp(row(i))) == nil {
				return fmt.Errorf("there is no row %d", row(i))
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}
