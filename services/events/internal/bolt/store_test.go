package bolt_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/events/internal/bolt"
	"github.com/sojournhq/sojourn/services/events/internal/storetest"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

func TestBoltIsAStore(t *testing.T) {
	storetest.Run(t, func(dir string) (usage.Store, error) {
		return bolt.Open(filepath.Join(dir, "events.db"), func(err error) { t.Error(err) })
	})
}

func TestAListingThatNeedsManyReadsMissesNothing(t *testing.T) {
	store, err := bolt.Open(filepath.Join(t.TempDir(), "events.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	const n = 25_000 // more than two read transactions look at
	calls := make([]call.Call, n)
	for i := range calls {
		calls[i] = call.Call{Type: call.Track, MessageID: fmt.Sprint(i), TimeMS: int64(i / 7), Feature: "common"}
	}
	calls[n-1].Feature = "rare"
	if _, err := store.Record(t.Context(), "w", calls); err != nil {
		t.Fatal(err)
	}
	rare := "rare"
	for _, c := range []struct {
		feature *string
		want    int
	}{{nil, n}, {&rare, 1}} {
		got, err := store.Events(context.Background(), "w", usage.Filter{Feature: c.feature, ToMS: 1 << 40}, nil, n+1)
		if err != nil || len(got) != c.want {
			t.Errorf("%d events, %v, want %d", len(got), err, c.want)
		}
	}
}
