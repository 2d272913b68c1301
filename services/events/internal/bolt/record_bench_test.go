package bolt_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/events/internal/bolt"
)

// BenchmarkRecord commits calls of 20,000 users: one at a time from one caller, a hundred at a time from one, and one at a time from 256
// callers at once, of which as many as wait share a commit.
func BenchmarkRecord(b *testing.B) {
	for name, shape := range map[string]struct{ calls, callers int }{"single": {1, 1}, "batch of 100": {100, 1}, "256 callers": {1, 256}} {
		b.Run(name, func(b *testing.B) {
			store, err := bolt.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "events.db"), OnFail: func(err error) { b.Error(err) }})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			var next atomic.Int64
			b.ReportAllocs()
			record := func() {
				calls := make([]call.Call, shape.calls)
				for i := range calls {
					calls[i] = recorded(next.Add(1))
				}
				if _, err := store.Record(b.Context(), "w", calls); err != nil {
					b.Error(err)
				}
			}
			if shape.callers == 1 {
				for b.Loop() {
					record()
				}
			} else {
				b.SetParallelism(shape.callers / runtime.GOMAXPROCS(0))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						record()
					}
				})
			}
			b.ReportMetric(float64(next.Load())/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

// recorded is the n-th call: ten milliseconds behind the one before, of a user of any rank.
func recorded(n int64) call.Call {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	user := random.IntN(20_000)
	ms := int64(1_790_000_000_000) + n*10
	return call.Call{
		Type: call.Track, MessageID: fmt.Sprintf("%08x-0000-4000-8000-%012x", random.Uint32(), n), OriginalMS: ms, TimeMS: ms, Source: "s",
		AnonymousID: fmt.Sprintf("%08x-1111-4000-8000-000000000000", user), UserID: fmt.Sprint("user-", user), AccountID: fmt.Sprint("account-", user%200),
		Feature: fmt.Sprint("feature ", random.IntN(24)), Module: fmt.Sprint("module ", random.IntN(8)),
	}
}
