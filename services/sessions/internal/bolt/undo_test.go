package bolt_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

func TestNothingIsRememberedOfTransactionsThatWereUndone(t *testing.T) {
	ctx := context.Background()
	one := rapid.Custom(func(t *rapid.T) call.Call {
		ms := rapid.Int64Range(0, 200).Draw(t, "minute") * minute
		return call.Call{
			Type: call.Track, AnonymousID: rapid.SampledFrom([]string{"s", "t"}).Draw(t, "session"), OriginalMS: ms, TimeMS: ms,
			MessageID: fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "id")), Module: rapid.SampledFrom([]string{"", "m", "n"}).Draw(t, "module"),
			UserID:    rapid.SampledFrom([]string{"", "u", "v"}).Draw(t, "user"),
			AccountID: rapid.SampledFrom([]string{"", "", "a"}).Draw(t, "account"),
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		var views [2][]session.View
		batches := rapid.SliceOfN(rapid.SliceOfN(one, 1, 6), 1, 8).Draw(rt, "batches")
		undone := rapid.SliceOfN(rapid.Bool(), len(batches), len(batches)).Draw(rt, "undone")
		deleted := rapid.IntRange(0, 2*len(batches)).Draw(rt, "deleted")
		for i := range views {
			dir := t.TempDir()
			withStore(t, dir, func(store session.Store) {
				for n, batch := range batches {
					if i == 1 && undone[n] {
						// Others that come to nothing, then these.
						other := slices.Concat(batches[len(batches)-1-n], batch)
						if err := store.(*bolt.Store).RecordAndUndo(ctx, "w", other); err != nil {
							rt.Fatal(err)
						}
					}
					if _, err := store.Record(ctx, "w", batch); err != nil {
						rt.Fatal(err)
					}
					for more := n == deleted; more; {
						var err error
						if _, more, err = store.DeleteUser(ctx, "w", "u", 100*minute, 0); err != nil {
							rt.Fatal(err)
						}
					}
				}
				var err error
				if views[i], err = store.Sessions(ctx, "w", session.Filter{ToMS: math.MaxInt64}, nil, 1000); err != nil {
					rt.Fatal(err)
				}
			})
			if problems, err := verify(dir); err != nil || len(problems) > 0 {
				rt.Fatalf("%q, %v", problems, err)
			}
		}
		if diff := cmp.Diff(views[0], views[1], cmpopts.IgnoreFields(session.View{}, "Revision")); diff != "" {
			rt.Fatalf("without undone transactions, with them:\n%s", diff)
		}
	})
}
