package bolt_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callmix"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
)

// BenchmarkRecord records batches of so many calls into a store that holds some; figures are by call. With TMPDIR on a file system in memory
// it shows what is left without the disk; cpu-ns/op is what all threads of the process took, so that others on the machine matter less.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) { benchmarkRecord(b, size, func(*call.Call) {}) })
	}
}

// BenchmarkRecordLate is BenchmarkRecord where one call in twenty is late, by up to three days.
func BenchmarkRecordLate(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	late := func(c *call.Call) {
		if random.IntN(20) == 0 {
			c.TimeMS -= random.Int64N(3 * 24 * 60 * minute)
			c.OriginalMS = c.TimeMS
		}
	}
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) { benchmarkRecord(b, size, late) })
	}
}

func benchmarkRecord(b *testing.B, size int, change func(*call.Call)) {
	store, err := bolt.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "sessions.db")}, defaults)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	callmix.Measure(b, size, func(calls []call.Call) error {
		for i := range calls {
			change(&calls[i])
		}
		_, err := store.Record(b.Context(), "w", calls)
		return err
	})
}
