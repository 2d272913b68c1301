package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// genLinks draws few calls for each of many users, at few times up to a day apart: some name the user, an account, or both, some delete.
// Behind all of them comes a point of each user that names no account, so that it shows which links are left.
func genLinks(t *rapid.T) (calls []call.Call) {
	one := rapid.Custom(func(t *rapid.T) call.Call {
		c := call.Call{
			Type:        rapid.SampledFrom([]call.Type{call.Track, call.Track, call.Track, call.Delete}).Draw(t, "type"),
			UserID:      "u",
			AnonymousID: rapid.SampledFrom([]string{"s", "s", "s", "s", "t", ""}).Draw(t, "session"),
			TimeMS:      epoch + rapid.SampledFrom([]int64{0, 1, 2, dayMS, dayMS + 1}).Draw(t, "time"),
		}
		if c.Type == call.Delete {
			c.AnonymousID = ""
			return c
		}
		c.AccountID = rapid.SampledFrom([]string{"", "", "", "a1", "a1", "a1", "a2"}).Draw(t, "account")
		if rapid.IntRange(0, 2).Draw(t, "names nobody") == 0 {
			c.UserID = ""
		}
		return c
	})
	for _, user := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		last := call.Call{Type: call.Track, UserID: "u", AnonymousID: "s", TimeMS: epoch + 9*dayMS}
		for _, c := range append(rapid.SliceOfN(one, 1, 6).Draw(t, "calls"), last) {
			if c.UserID != "" {
				c.UserID += user
			}
			if c.AnonymousID != "" {
				c.AnonymousID += user
			}
			c.MessageID, c.OriginalMS = fmt.Sprint("m", len(calls)), c.TimeMS
			calls = append(calls, c)
		}
	}
	return calls
}

func testLinksOfTheDeleted(t *testing.T, open Driver) {
	rapid.Check(t, func(rt *rapid.T) {
		history := genLinks(rt)
		twice := slices.Concat(history, rapid.SliceOfN(rapid.SampledFrom(history), 0, 10).Draw(rt, "copies"))
		d := newDriver(t, open)
		defer d.finish()
		d.rules.TimeoutMS = dayMS // so that a few points make sessions as long as they can be
		for _, c := range rapid.Permutation(twice).Draw(rt, "order") {
			if c.Type == call.Delete {
				d.deleteUser("w", c.UserID, c.TimeMS)
			} else {
				d.record("w", c)
			}
			if rapid.IntRange(0, 19).Draw(rt, "restart") == 0 {
				d.reopen()
			}
		}
		if diff := cmp.Diff(Oracle{without(history), d.rules}.Views(1<<60), d.views(), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("sessions (-want +got):\n%s", diff)
		}
	})
}

// testLinkOfACallWithoutAPoint records two calls that wrongly have one identity: the second makes no point, but what it said stays.
func testLinkOfACallWithoutAPoint(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	by := func(minutes int64, user, account string) call.Call {
		c := point(minutes)
		c.UserID, c.AccountID = user, account
		return c
	}
	account := func() string {
		views := d.views()
		if len(views) == 0 || views[len(views)-1].UserID != "u" {
			t.Fatalf("sessions are %+v", views)
		}
		return views[len(views)-1].AccountID
	}
	d.record("w", by(0, "u", "a"), by(5, "v", "b"), by(5, "u", "a"), by(100, "u", ""))
	if removed, _, err := d.store.DeleteUser(context.Background(), "w", "u", epoch+4*minute, epoch); removed.Links != 0 || err != nil {
		t.Errorf("removed %+v, %v", removed, err)
	}
	d.deleteUser("w", "u", epoch+4*minute)
	if got := account(); got != "a" {
		t.Errorf("account %q after the calls up to 4 were deleted", got)
	}
	d.deleteUser("w", "u", epoch+5*minute)
	if got := account(); got != "" {
		t.Errorf("account %q after the calls up to 5 were deleted", got)
	}
}

// testLinksOfLongSessions deletes up to the last moment before a session names user and account in one point, a day after it began, and
// where one of its points names the one and another the other.
func testLinksOfLongSessions(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	d.rules.TimeoutMS = dayMS
	at := func(ms int64, session, user, account string) call.Call {
		return call.Call{
			Type: call.Track, AnonymousID: session, MessageID: fmt.Sprint(session, ms), TimeMS: epoch + ms, OriginalMS: epoch + ms,
			UserID: user, AccountID: account,
		}
	}
	history := []call.Call{
		at(0, "long", "", ""), at(1, "other", "u", "a"), at(dayMS, "long", "u", "a"), at(3*dayMS, "later", "u", ""),
		at(0, "first", "v", "a"), at(dayMS, "apart", "v", ""), at(dayMS+1, "apart", "", "a"), at(3*dayMS, "late", "v", ""),
	}
	d.record("w", history...)
	for _, user := range []string{"u", "v"} {
		d.deleteUser("w", user, epoch+dayMS-1)
		history = append(history, call.Call{Type: call.Delete, UserID: user, TimeMS: epoch + dayMS - 1})
	}
	if diff := cmp.Diff(Oracle{without(history), d.rules}.Views(1<<60), d.views()); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
}

// testLinksGoInTheFirstStep deletes up to the very time of a point, which is only deleted in the same step.
func testLinksGoInTheFirstStep(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	first, last := point(0), point(5)
	first.UserID, first.AccountID, last.UserID, last.AccountID = "u", "a", "u", "a"
	d.record("w", first, last, point(6), point(7))
	for _, step := range []struct {
		untilMS int64
		want    session.Deleted
	}{
		{last.TimeMS - 1, session.Deleted{Points: 1, Sessions: 2}}, {last.TimeMS, session.Deleted{Points: 1, Sessions: 2, Links: 1}},
	} {
		if removed, _, err := d.store.DeleteUser(context.Background(), "w", "u", step.untilMS, epoch); removed != step.want || err != nil {
			t.Errorf("removed %+v and %v up to %d, want %+v", removed, err, step.untilMS, step.want)
		}
	}
}

// testLinksComeBack names the account again of a user who was deleted, and of whom a later point had stayed.
func testLinksComeBack(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	history := []call.Call{point(0), point(100), point(500)}
	for i := range history {
		history[i].UserID = "u"
	}
	history[0].AccountID, history[1].AccountID = "a", "a"
	d.record("w", history[0], history[2])
	d.deleteUser("w", "u", epoch)
	d.record("w", history[1])
	if diff := cmp.Diff(Oracle{history[1:], d.rules}.Views(1<<60), d.views()); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
}

// views lists all sessions, without their revisions.
func (d *driver) views() []session.View {
	views, err := d.store.Sessions(context.Background(), "w", everything(1<<60), nil, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range views {
		views[i].Revision = 0
	}
	return views
}
