package boltdb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// BenchmarkMerge brings a thousand new rows to a table, so many rows a block: few where a table is large and its keys are random.
func BenchmarkMerge(b *testing.B) {
	for _, perBlock := range []int{1, 2, 4, 16} {
		b.Run(fmt.Sprint("per block=", perBlock), func(b *testing.B) {
			file, err := bolt.Open(filepath.Join(b.TempDir(), "x.db"), 0o600, &bolt.Options{NoSync: true})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = file.Close() }()
			chance := rand.New(rand.NewPCG(1, uint64(perBlock)))
			const inBlock, batch = 60, 1000
			merge := func(changes []block.Change, keep bool) {
				tx, err := file.Begin(true)
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = tx.Rollback() }()
				bucket, err := tx.CreateBucketIfNotExists([]byte("b"))
				if err != nil {
					b.Fatal(err)
				}
				if err := newMerger(bucket, []string{"b"}, sizesOf(file, Options{})).merge(changes); err != nil {
					b.Fatal(err)
				}
				if keep {
					if err := tx.Commit(); err != nil {
						b.Fatal(err)
					}
				}
			}
			for filled := 0; filled < inBlock*batch/perBlock; filled += batch {
				merge(randomChanges(chance, batch), true)
			}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				changes := randomChanges(chance, batch)
				b.StartTimer()
				merge(changes, false)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/row")
		})
	}
}

// randomChanges returns new rows like those of points, in order.
func randomChanges(chance *rand.Rand, n int) (changes []block.Change) {
	for range n {
		key := make([]byte, 24)
		for i := range key {
			key[i] = byte(chance.Uint32())
		}
		changes = append(changes, block.Change{Key: key, Value: record.Seal(key, []byte("a dozen bytes of value"))})
	}
	slices.SortFunc(changes, func(a, b block.Change) int { return bytes.Compare(a.Key, b.Key) })
	return changes
}
