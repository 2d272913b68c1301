// Package storetest is the suite that every usage.Store passes, whatever it keeps its data in.
package storetest

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
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// Open opens the store that lives in dir, making it if there is none.
type Open func(dir string) (usage.Store, error)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("any order, any batches, duplicates and restarts give the oracle's usage", func(t *testing.T) { testOrderFree(t, open) })
	t.Run("a deletion removes uses up to its time and counts the rest of the day", func(t *testing.T) { testDeletion(t, open) })
	t.Run("a deletion leaves the links that later calls named", func(t *testing.T) { testLinksOfTheDeleted(t, open) })
	t.Run("a link outlives a deletion by a call that left no row", func(t *testing.T) { testLinkOfACallWithoutARow(t, open) })
	t.Run("a link that a deletion took comes back", func(t *testing.T) { testLinksComeBack(t, open) })
	t.Run("links go in the first step of a deletion", func(t *testing.T) { testLinksGoInTheFirstStep(t, open) })
	t.Run("what is recorded twice counts once", func(t *testing.T) { testDuplicates(t, open) })
	t.Run("learning an account moves what was there before", func(t *testing.T) { testLearning(t, open) })
	t.Run("first and last use are those of the earliest and latest, whichever came first", func(t *testing.T) { testFirstAndLast(t, open) })
	t.Run("a user of two accounts is two users, a use by nobody none", func(t *testing.T) { testDistinctUsers(t, open) })
	t.Run("every call with a feature is a use, whatever its type", func(t *testing.T) { testTypes(t, open) })
	t.Run("uses of one time are listed by messageId", func(t *testing.T) { testSameTime(t, open) })
	t.Run("copies that arrive at once are accepted once", func(t *testing.T) { testConcurrent(t, open) })
	t.Run("pages join up to the whole list", func(t *testing.T) { testPages(t, open) })
	t.Run("a user with and without an account on one day is one user on one day", func(t *testing.T) { testActivity(t, open) })
	t.Run("an empty workspace is empty", func(t *testing.T) { testEmpty(t, open) })
}

// epoch is the start of a day.
const epoch = int64(20_000) * dayMS

func ptr[T any](v T) *T { return &v }

func everything() usage.Filter { return usage.Filter{ToMS: math.MaxInt64} }

// genHistory draws calls that often meet: few ids, few times. One identity always has one content.
func genHistory(t *rapid.T) []call.Call {
	calls := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call.Call {
		c := call.Call{
			Type:      rapid.SampledFrom([]call.Type{call.Track, call.Track, call.Track, call.Page, call.Identify, call.Group, call.Alias, call.Delete}).Draw(t, "type"),
			UserID:    rapid.SampledFrom([]string{"u1", "u2", "u3", ""}).Draw(t, "user"),
			AccountID: rapid.SampledFrom([]string{"", "", "a1", "a2"}).Draw(t, "account"),
			Module:    rapid.SampledFrom([]string{"", "m1", "m2"}).Draw(t, "module"),
			TimeMS: epoch + rapid.SampledFrom([]int64{0, 1, 5, dayMS - 1, dayMS, dayMS + 7, 2 * dayMS, 9 * dayMS}).Draw(t, "day") +
				rapid.Int64Range(0, 2).Draw(t, "time"),
		}
		switch c.Type {
		case call.Track:
			c.Feature = rapid.SampledFrom([]string{"f1", "f2"}).Draw(t, "feature")
		case call.Page:
			c.Feature = rapid.SampledFrom([]string{"", "", "f2"}).Draw(t, "feature")
		case call.Group:
			c.AccountID = "a1"
		case call.Delete:
			c.UserID, c.AccountID, c.Module = rapid.SampledFrom([]string{"u1", "u2"}).Draw(t, "deleted"), "", ""
		case call.Alias:
			c.UserID, c.PreviousID = "u1", rapid.SampledFrom([]string{"u2", "u3", "u4"}).Draw(t, "previous")
		default:
		}
		c.OriginalMS = c.TimeMS
		return c
	}), 1, 30).Draw(t, "calls")
	for i := range calls {
		n := (i * 7919) % 10_007
		calls[i].MessageID = fmt.Sprintf("m%d", n)
		switch {
		case i > 0 && i%7 == 0: // one messageId twice, told apart by the own timestamp, with times that were corrected to the same
			calls[i].MessageID, calls[i].TimeMS, calls[i].OriginalMS = calls[i-1].MessageID, calls[i-1].TimeMS, calls[i-1].OriginalMS-1
		case i%3 == 0:
			calls[i].MessageID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
		}
	}
	return calls
}

// inAnyOrder returns calls, some of them more than once, in some order.
func inAnyOrder(t *rapid.T, calls []call.Call) []call.Call {
	twice := slices.Concat(calls, rapid.SliceOfN(rapid.SampledFrom(calls), 0, 10).Draw(t, "copies"))
	return rapid.Permutation(twice).Draw(t, "order")
}

func testOrderFree(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		history := genHistory(rt)
		order := inAnyOrder(rt, history)

		d := &driver{t: t, open: open, dir: t.TempDir()}
		d.reopen()
		defer d.close()
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
			d.record("w", order[:n]...)
			d.record("other", history[0])
			order = order[n:]
			if rapid.IntRange(0, 3).Draw(rt, "restart") == 0 {
				d.reopen()
			}
		}
		compare(rt, d.store, "w", newOracle(history))
		compare(rt, d.store, "other", newOracle(history[:1]))
	})
}

// compare holds a random listing and random queries against the oracle.
func compare(t *rapid.T, store usage.Store, workspace string, want oracle) {
	for range 3 {
		q := usage.Query{Days: day.Span{From: day.Of(epoch) + day.Day(rapid.IntRange(0, 2).Draw(t, "from")), To: day.Of(epoch) + day.Day(rapid.IntRange(2, 9).Draw(t, "to"))}}
		for i := range q.By {
			q.By[i] = rapid.Bool().Draw(t, "by")
		}
		q.AccountID = genFilter(t, "account", "", "a1", "a2", "nobody")
		q.UserID = genFilter(t, "user", "", "u1", "u2")
		q.Module = genFilter(t, "module", "", "m1")
		q.Feature = genFilter(t, "feature", "f1")
		rows, err := store.Usage(context.Background(), workspace, q, nil, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.usage(q), rows, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("usage by %+v (-want +got):\n%s", q, diff)
		}
		if diff := cmp.Diff(rows, usageInPages(t, store, workspace, q), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("usage by %+v, page by page (-whole +joined):\n%s", q, diff)
		}
		compareActivity(t, store, workspace, want, rapid.SampledFrom([]string{"a1", "a2", "nobody"}).Draw(t, "active account"), q.Days)
		f := usage.Filter{
			AccountID: q.AccountID, UserID: q.UserID, Module: q.Module, Feature: q.Feature,
			FromMS: epoch + rapid.Int64Range(0, 3).Draw(t, "after"), ToMS: epoch + rapid.Int64Range(dayMS, 3*dayMS).Draw(t, "before"),
		}
		events, err := store.Events(context.Background(), workspace, f, nil, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.list(f), events, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("events of %+v (-want +got):\n%s", f, diff)
		}
	}
}

// usageInPages reads usage in small pages and joins them.
func usageInPages(t *rapid.T, store usage.Store, workspace string, q usage.Query) (joined []usage.Row) {
	size := rapid.IntRange(1, 3).Draw(t, "page")
	var after *usage.Group
	for {
		rows, err := store.Usage(context.Background(), workspace, q, after, size)
		if err != nil || len(rows) > size {
			t.Fatalf("a page of %d rows, %v, want at most %d", len(rows), err, size)
		}
		if joined = append(joined, rows...); len(rows) < size {
			return joined
		}
		after = &rows[size-1].Group
	}
}

func genFilter(t *rapid.T, name string, values ...string) *string {
	if rapid.IntRange(0, 2).Draw(t, "filter "+name) > 0 {
		return nil
	}
	return ptr(rapid.SampledFrom(values).Draw(t, name))
}
