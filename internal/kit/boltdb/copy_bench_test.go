package boltdb_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

var copied = flag.Int("copied", 64, "MiB that BenchmarkCopyWhileWriting copies")

// BenchmarkCopyWhileWriting copies a file while 100 random keys are committed at a time, and reports what that does to the commits and to the
// size of the file, beside commits alone.
func BenchmarkCopyWhileWriting(b *testing.B) {
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "x.db"), Kind: "test", Format: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	dice := rand.New(rand.NewPCG(1, 2))
	random := func(keys int) func(*boltdb.Tx) error {
		return func(tx *boltdb.Tx) error {
			table, err := tx.CreateBucketIfNotExists(bucket)
			key, value := make([]byte, 16), make([]byte, 100)
			for range keys {
				for i := range key {
					key[i] = byte(dice.Uint32())
				}
				err = errors.Join(err, table.Put(slices.Clone(key), value))
			}
			return err
		}
	}
	size := func() int64 {
		info, err := os.Stat(db.Path())
		if err != nil {
			b.Fatal(err)
		}
		return info.Size()
	}
	for size() < int64(*copied)<<20 {
		if err := db.Update(b.Context(), random(50_000)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			ctx, stop := context.WithTimeout(b.Context(), 3*time.Second)
			commit(ctx, b, db, random(100))
			stop()
		}
	})
	b.Run("copying", func(b *testing.B) {
		for b.Loop() {
			before := size()
			ctx, stop := context.WithCancel(b.Context())
			go func() {
				defer stop()
				file, err := db.Copy(b.Context(), func(boltdb.Snapshot) error { return nil })
				if err != nil {
					b.Error(err)
					return
				}
				_ = file.Close()
			}()
			began := time.Now()
			commit(ctx, b, db, random(100))
			b.ReportMetric(float64(before)/time.Since(began).Seconds()/1e6, "MB/s")
			b.ReportMetric(100*float64(size()-before)/float64(before), "%grown")
		}
	})
}

// commit commits until ctx ends, and reports how long the commits took.
func commit(ctx context.Context, b *testing.B, db *boltdb.DB, write func(*boltdb.Tx) error) {
	var took []time.Duration
	for ctx.Err() == nil {
		began := time.Now()
		if err := db.Update(b.Context(), write); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "max-ms")
	b.ReportMetric(float64(len(took)), "commits")
}
