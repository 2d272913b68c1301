package bolt_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callmix"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/identity/internal/bolt"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// BenchmarkRecord records batches of so many calls into a store that holds some; figures are by call. With TMPDIR on a file system in memory
// it shows what is left without the disk; cpu-ns/op is what all threads of the process took, so that others on the machine matter less.
func BenchmarkRecord(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			store, err := bolt.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "identity.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			callmix.Measure(b, size, func(calls []call.Call) error {
				_, err := store.Record(b.Context(), "w", directory.Batch{Calls: calls})
				return err
			})
		})
	}
}
