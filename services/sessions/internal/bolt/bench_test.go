package bolt_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
)

// BenchmarkPoint records one point of a session that is as long as the name says: in order, behind its end, or late, in its middle.
func BenchmarkPoint(b *testing.B) {
	for _, length := range []int{100, 80_000} {
		for _, late := range []bool{false, true} {
			b.Run(fmt.Sprintf("session of %d, late %v", length, late), func(b *testing.B) { benchmarkPoint(b, length, late) })
		}
	}
}

func benchmarkPoint(b *testing.B, length int, late bool) {
	store, err := bolt.Open(boltdb.Options{Path: filepath.Join(b.TempDir(), "sessions.db")}, defaults)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	point := func(n int, ms int64) call.Call {
		return call.Call{Type: call.Track, AnonymousID: "s", UserID: "u", MessageID: fmt.Sprint(n), TimeMS: ms, OriginalMS: ms, Module: "m"}
	}
	calls := make([]call.Call, length)
	for i := range calls {
		calls[i] = point(i, int64(i)*1000)
	}
	if _, err := store.Record(b.Context(), "w", calls); err != nil {
		b.Fatal(err)
	}
	n := length
	for b.Loop() {
		n++
		c := point(n, int64(n)*1000)
		if late {
			c = point(n, int64(length/2)*1000+int64(n-length)%900+1)
		}
		if _, err := store.Record(b.Context(), "w", []call.Call{c}); err != nil {
			b.Fatal(err)
		}
	}
}
