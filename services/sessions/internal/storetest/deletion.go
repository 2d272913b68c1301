package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// deleteUser deletes in as many steps as it takes.
func (d *driver) deleteUser(workspace, user string, untilMS int64) (removed session.Deleted) {
	for more := true; more; {
		var some session.Deleted
		var err error
		if some, more, err = d.store.DeleteUser(context.Background(), workspace, user, untilMS, epoch); err != nil {
			d.t.Fatal(err)
		}
		removed.Points += some.Points
		removed.Sessions += some.Sessions
		removed.Changes += some.Changes
		removed.Links += some.Links
	}
	return removed
}

// without returns the calls that deletions leave.
func without(history []call.Call) []call.Call {
	until := map[string]int64{}
	for _, c := range history {
		if c.Type == call.Delete {
			until[c.UserID] = max(until[c.UserID], c.TimeMS)
		}
	}
	return slices.DeleteFunc(slices.Clone(history), func(c call.Call) bool { return c.Type == call.Delete || c.TimeMS <= until[c.UserID] })
}

func testDeletion(t *testing.T, open Driver) {
	rapid.Check(t, func(rt *rapid.T) {
		history := genHistory(rt)
		for i := range history {
			if history[i].Type == call.Identify && rapid.Bool().Draw(rt, "deletes") && history[i].UserID != "" {
				history[i].Type, history[i].AnonymousID = call.Delete, ""
			}
			if history[i].Type == call.Alias { // an alias with somebody who is deleted is the links' matter
				history[i].Type, history[i].PreviousID = call.Track, ""
			}
		}
		order := append(slices.Clone(history), rapid.SliceOfN(rapid.SampledFrom(history), 0, 10).Draw(rt, "copies")...)
		d := newDriver(t, open)
		defer d.finish()
		w := newWatcher(rt)
		w.forgives = true
		for _, c := range rapid.Permutation(order).Draw(rt, "order") {
			if c.Type == call.Delete {
				d.deleteUser("w", c.UserID, c.TimeMS)
			} else {
				d.record("w", c)
			}
			if rapid.IntRange(0, 5).Draw(rt, "timers") == 0 {
				d.endDue(epoch + rapid.Int64Range(0, 3*dayMS).Draw(rt, "now"))
			}
			if rapid.IntRange(0, 5).Draw(rt, "watch") == 0 {
				w.read(d.store, rapid.Bool().Draw(rt, "forgets the cursor"))
			}
		}
		want := Oracle{without(history), d.rules}
		compare(rt, d.store, "w", want, epoch+dayMS)
		compareTime(rt, d.store, want, genTimeQuery(rt))
		d.endAll()
		w.read(d.store, false)
		w.compare(want)
		late := newWatcher(rt) // who was away all the time
		late.forgives = true
		late.read(d.store, false)
		late.compare(want)
	})
}

func testDeletionIsTold(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	by := func(user string, minutes int64) call.Call { c := point(minutes); c.UserID = user; return c }
	d.record("w", by("v", 0), by("u", 1), by("v", 2), by("u", 100), by("u", 110), by("u", 500))
	d.endAll()
	w := newWatcher(t)
	w.read(d.store, false)
	removed := d.deleteUser("w", "u", epoch+105*minute)
	if want := (session.Deleted{Points: 2, Sessions: 5, Changes: 2}); removed != want {
		t.Errorf("removed %+v, want %+v", removed, want)
	}
	if again := d.deleteUser("w", "u", epoch+50*minute); again != (session.Deleted{}) {
		t.Errorf("removed %+v twice", again)
	}
	if diff := cmp.Diff([]string{"0-2", "110-110", "500-500"}, d.spans()); diff != "" {
		t.Error(diff)
	}
	before := len(w.told)
	w.forgives = true
	w.read(d.store, false)
	gone := 0
	for _, c := range w.told[before:] {
		if c.Removed {
			gone++
		}
	}
	if gone != 2 {
		t.Errorf("%d removals were told, want those of the sessions at 1 and 100 minutes", gone)
	}
	d.endAll()
	w.read(d.store, false)
	w.compare(Oracle{[]call.Call{by("v", 0), by("v", 2), by("u", 110), by("u", 500)}, d.rules})
}

// testDeletionForThoseAway deletes a user while a consumer is away, who knows sessions that were merged meanwhile.
func testDeletionForThoseAway(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	by := func(minutes int64) call.Call { c := point(minutes); c.UserID = "u"; return c }
	w := newWatcher(t)
	d.record("w", by(0), by(40))
	d.endAll()
	w.read(d.store, false)
	d.record("w", by(20))
	d.endAll()
	d.deleteUser("w", "u", epoch+dayMS)
	w.read(d.store, false)
	w.compare(Oracle{nil, d.rules})
}

// testDeletionLeavesWhatIsToldOfNow deletes a user up to a time within a session whose calls of that time name nobody.
func testDeletionLeavesWhatIsToldOfNow(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	c := point(10)
	c.UserID = "u"
	d.record("w", point(0), c)
	d.endAll()
	if removed := d.deleteUser("w", "u", epoch+5*minute); removed != (session.Deleted{}) {
		t.Errorf("removed %+v, want nothing", removed)
	}
	w := newWatcher(t)
	w.read(d.store, false)
	w.compare(Oracle{[]call.Call{point(0), c}, d.rules})
}
