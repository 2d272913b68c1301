// Package storetest is the suite that every session.Store passes, whatever it keeps its data in.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Driver is what the suite needs to know of a kind of store.
type Driver struct {
	// Open opens the store that lives in dir, making it if there is none. Rules are those of each workspace; they may change.
	Open func(dir string, rules func(workspace string) session.Rules) (session.Store, error)
	// Verify returns what is wrong with the store that lives in dir and is closed.
	Verify func(dir string) ([]string, error)
}

// Run runs the suite.
func Run(t *testing.T, open Driver) {
	t.Run("any order, any batches, duplicates and restarts give the oracle's sessions", func(t *testing.T) { testOrderFree(t, open) })
	t.Run("late points one by one into one session give the oracle's session", func(t *testing.T) { testDense(t, open) })
	t.Run("every boundary falls where it was worked out by hand", func(t *testing.T) { testBoundaries(t, open) })
	t.Run("what is recorded twice changes nothing", func(t *testing.T) { testDuplicates(t, open) })
	t.Run("a late point bridges, splits, extends and precedes sessions", func(t *testing.T) { testLatePoints(t, open) })
	t.Run("timers survive restarts and end each session once", func(t *testing.T) { testTimers(t, open) })
	t.Run("timers are counted and the first is known", func(t *testing.T) { testLoad(t, open) })
	t.Run("a session of a day is active to its end", func(t *testing.T) { testActive(t, open) })
	t.Run("a rebuild survives calls between its steps", func(t *testing.T) { testRebuildOfMovedPlace(t, open) })
	t.Run("very many sessions of one millisecond are exact", func(t *testing.T) { testOneMillisecond(t, open) })
	t.Run("pages join up to the whole list", func(t *testing.T) { testPages(t, open) })
	t.Run("the feed tells of merges, splits and returns", func(t *testing.T) { testFeed(t, open) })
	t.Run("a session that is gone, back and gone again is told once", func(t *testing.T) { testFeedOfBackAndForth(t, open) })
	t.Run("a session that replaces very many is told in parts", func(t *testing.T) { testFeedOfManyReplaced(t, open) })
	t.Run("cursors of one copy of the data are refused by another", func(t *testing.T) { testCopies(t, open) })
	t.Run("a shorter timeout ends running sessions in time", func(t *testing.T) { testShortenedTimeout(t, open) })
	t.Run("the feed goes back as far as it was kept", func(t *testing.T) { testTrim(t, open) })
	t.Run("new settings apply to what ends from then on, and to all after a rebuild", func(t *testing.T) { testSettings(t, open) })
	t.Run("a call walks a session again that was walked under other settings", func(t *testing.T) { testSettingsMeetSessions(t, open) })
	t.Run("any changes of settings and a rebuild give the oracle's sessions", func(t *testing.T) { testRebuild(t, open) })
	t.Run("a session of more modules than people visit is exact", func(t *testing.T) { testManyModules(t, open) })
	t.Run("a day of more modules than a row holds is exact, late, over midnight and deleted", func(t *testing.T) { testCrowdedDays(t, open) })
	t.Run("deleting a user leaves the sessions of the other calls, in any order", func(t *testing.T) { testDeletion(t, open) })
	t.Run("a deletion leaves the links that later calls named", func(t *testing.T) { testLinksOfTheDeleted(t, open) })
	t.Run("a link outlives a deletion by a call that made no point", func(t *testing.T) { testLinkOfACallWithoutAPoint(t, open) })
	t.Run("a deletion leaves the links of sessions that go on", func(t *testing.T) { testLinksOfLongSessions(t, open) })
	t.Run("a link that a deletion took comes back", func(t *testing.T) { testLinksComeBack(t, open) })
	t.Run("links go in the first step of a deletion", func(t *testing.T) { testLinksGoInTheFirstStep(t, open) })
	t.Run("a deletion is told to those who were away", func(t *testing.T) { testDeletionForThoseAway(t, open) })
	t.Run("a deletion leaves what it does not concern", func(t *testing.T) { testDeletionLeavesWhatIsToldOfNow(t, open) })
	t.Run("a deletion is told", func(t *testing.T) { testDeletionIsTold(t, open) })
	t.Run("downtime changes nothing", func(t *testing.T) { testDowntime(t, open) })
	t.Run("an empty workspace is empty and a missing session is missing", func(t *testing.T) { testEmpty(t, open) })
}

const (
	minute = int64(60 * 1000)
	// noon of a day, so that histories cross midnight now and then.
	epoch = int64(20_000)*dayMS + dayMS/2
)

// everything selects all sessions.
func everything(nowMS int64) session.Filter { return session.Filter{ToMS: math.MaxInt64, NowMS: nowMS} }

func ptr[T any](v T) *T { return &v }

// genCall draws calls that often meet: few ids, gaps around the timeout, now and then a day.
func genCall() *rapid.Generator[call.Call] {
	gap := rapid.SampledFrom([]int64{0, 1, minute, 4 * minute, 6 * minute, 29 * minute, 30 * minute, 30*minute + 1, 3 * 60 * minute, 12 * 60 * minute})
	return rapid.Custom(func(t *rapid.T) call.Call {
		c := call.Call{
			Type:        rapid.SampledFrom([]call.Type{call.Track, call.Track, call.Page, call.Identify, call.Alias}).Draw(t, "type"),
			AnonymousID: rapid.SampledFrom([]string{"s1", "s1", "s2", "507f191e-8f00-4c52-9f7b-0123456789ab", ""}).Draw(t, "session"),
			UserID:      rapid.SampledFrom([]string{"u1", "u1", "u2", ""}).Draw(t, "user"),
			AccountID:   rapid.SampledFrom([]string{"", "", "", "a1", "a2"}).Draw(t, "account"),
			Module:      rapid.SampledFrom([]string{"", "", "m1", "m2"}).Draw(t, "module"),
		}
		if c.Type == call.Alias {
			c.UserID, c.PreviousID = "u1", rapid.SampledFrom([]string{"u2", "u3"}).Draw(t, "previous")
		}
		c.TimeMS = epoch
		for range rapid.IntRange(0, 6).Draw(t, "gaps") {
			c.TimeMS += gap.Draw(t, "gap")
		}
		c.OriginalMS = c.TimeMS + rapid.SampledFrom([]int64{0, 0, -600_000}).Draw(t, "correction")
		return c
	})
}

// genHistory draws a history in which one identity always has one content: each call has a messageId of its own, and these do not sort
// like the calls.
func genHistory(t *rapid.T) []call.Call {
	calls := rapid.SliceOfN(genCall(), 1, 25).Draw(t, "calls")
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

func testOrderFree(t *testing.T, open Driver) {
	rapid.Check(t, func(rt *rapid.T) {
		history := genHistory(rt)
		twice := append([]call.Call(nil), history...)
		twice = append(twice, rapid.SliceOfN(rapid.SampledFrom(history), 0, 10).Draw(rt, "copies")...)
		order := rapid.Permutation(twice).Draw(rt, "order")

		d := newDriver(t, open)
		defer d.finish()
		watcher := newWatcher(rt)
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
			d.record("w", order[:n]...)
			d.record("other", history[0])
			order = order[n:]
			if rapid.IntRange(0, 3).Draw(rt, "restart") == 0 {
				d.reopen()
			}
			if rapid.Bool().Draw(rt, "timers") {
				d.endDue(epoch + rapid.Int64Range(0, 3*dayMS).Draw(rt, "now"))
			}
			if rapid.Bool().Draw(rt, "watch") {
				watcher.read(d.store, rapid.Bool().Draw(rt, "forgets the cursor"))
			}
		}
		now := epoch + rapid.Int64Range(0, 2*dayMS).Draw(rt, "now")
		compare(rt, d.store, "w", Oracle{history, d.rules}, now)
		compare(rt, d.store, "other", Oracle{history[:1], d.rules}, now)
		query := genTimeQuery(rt)
		compareTime(rt, d.store, Oracle{history, d.rules}, query)
		d.endAll()
		watcher.read(d.store, false)
		watcher.compare(Oracle{history, d.rules})
	})
}

// testDense draws sessions of many points, few of which name a module, a user or an account, and now and then two at the same time.
func testDense(t *testing.T, open Driver) {
	rapid.Check(t, func(rt *rapid.T) {
		history := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call.Call {
			c := call.Call{
				Type: call.Track, AnonymousID: "s1",
				TimeMS:    epoch + rapid.Int64Range(0, 15).Draw(t, "time")*minute,
				Module:    rapid.SampledFrom([]string{"", "", "", "m1", "m2"}).Draw(t, "module"),
				UserID:    rapid.SampledFrom([]string{"", "", "u1"}).Draw(t, "user"),
				AccountID: rapid.SampledFrom([]string{"", "", "", "", "a1"}).Draw(t, "account"),
			}
			c.OriginalMS = c.TimeMS
			return c
		}), 3, 20).Draw(rt, "calls")
		for i := range history {
			n := (i * 7919) % 10_007
			history[i].MessageID = fmt.Sprintf("m%d", n)
			if i%2 == 0 { // UUIDs sort otherwise in keys than as text
				history[i].MessageID = fmt.Sprintf("aa-%08x-0000-4000-8000-000000000000", n)
			}
		}
		d := newDriver(t, open)
		defer d.finish()
		for _, c := range history {
			d.record("w", c)
		}
		compare(rt, d.store, "w", Oracle{history, d.rules}, epoch+dayMS)
	})
}

func genTimeQuery(t *rapid.T) (q session.TimeQuery) {
	start := day.Of(epoch)
	q.Days = day.Span{From: start + day.Day(rapid.IntRange(0, 1).Draw(t, "from")), To: start + day.Day(rapid.IntRange(1, 3).Draw(t, "to"))}
	for i := range q.By {
		q.By[i] = rapid.Bool().Draw(t, "by")
	}
	filter := func(name string, values ...string) *string {
		if rapid.Bool().Draw(t, "filter "+name) {
			return ptr(rapid.SampledFrom(values).Draw(t, name))
		}
		return nil
	}
	q.AccountID = filter("account", "", "a1", "a2")
	q.UserID = filter("user", "", "u1", "u2")
	q.Module = filter("module", "", "m1")
	return q
}

// compare holds every session list that filters can select against the oracle.
func compare(t *rapid.T, store session.Store, workspace string, want Oracle, now int64) {
	all := want.Views(now)
	for name, f := range map[string]func(*session.Filter){
		"all":          func(*session.Filter) {},
		"account a1":   func(f *session.Filter) { f.AccountID = ptr("a1") },
		"no account":   func(f *session.Filter) { f.AccountID = ptr("") },
		"user u2":      func(f *session.Filter) { f.UserID = ptr("u2") },
		"u1 in a1":     func(f *session.Filter) { f.UserID, f.AccountID = ptr("u1"), ptr("a1") },
		"session s1":   func(f *session.Filter) { f.AnonymousID = "s1" },
		"s1 of u1":     func(f *session.Filter) { f.AnonymousID, f.UserID = "s1", ptr("u1") },
		"ended":        func(f *session.Filter) { f.Ended = ptr(true) },
		"active":       func(f *session.Filter) { f.Ended = ptr(false) },
		"first hours":  func(f *session.Filter) { f.ToMS = epoch + 3*60*minute },
		"after a hour": func(f *session.Filter) { f.FromMS = epoch + 60*minute },
	} {
		filter := everything(now)
		f(&filter)
		var expected []session.View
		for _, v := range all {
			if matches(v, filter) {
				expected = append(expected, v)
			}
		}
		got, err := store.Sessions(context.Background(), workspace, filter, nil, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(expected, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(session.View{}, "Revision")); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func matches(v session.View, f session.Filter) bool {
	return (f.AccountID == nil || v.AccountID == *f.AccountID) && (f.UserID == nil || v.UserID == *f.UserID) &&
		(f.AnonymousID == "" || v.First.AnonymousID == f.AnonymousID) && (f.Ended == nil || v.Ended == *f.Ended) &&
		v.First.Start.TimeMS >= f.FromMS && v.First.Start.TimeMS < f.ToMS
}

func testEmpty(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	check := func() {
		if got, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 10); len(got) != 0 || err != nil {
			t.Errorf("Sessions = %v, %v", got, err)
		}
		if got, err := d.store.Time(context.Background(), "w", session.TimeQuery{Days: day.Span{To: day.Max}}); len(got) != 0 || err != nil {
			t.Errorf("Time = %v, %v", got, err)
		}
		if _, err := d.store.Session(context.Background(), "w", session.First{AnonymousID: "s"}.ID(), 0); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Session: %v, want ErrNotFound", err)
		}
	}
	check()
	d.record("other", call.Call{Type: call.Track, AnonymousID: "s", MessageID: "m"})
	check()
	d.record("w", call.Call{Type: call.Track, MessageID: "m", UserID: "u"})
	check()
}
