package bolt_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/callmix"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
)

// BenchmarkRecord records batches of so many calls into a store that holds some; figures are by call. With TMPDIR on a file system in memory
// it shows what is left without the disk.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			store, err := bolt.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "sessions.db")}, defaults)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			mix := callmix.New(1)
			for range 10 {
				if _, err := store.Record(b.Context(), "w", mix.Calls(5000)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += size {
				b.StopTimer()
				calls := mix.Calls(min(size, b.N-done))
				b.StartTimer()
				if _, err := store.Record(b.Context(), "w", calls); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
