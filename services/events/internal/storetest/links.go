package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// genLinks draws few calls for each of many users, at few times: some name an account, some of these are uses, some delete. Behind all of
// them comes a use of each user that names no account, so that it shows which links are left.
func genLinks(t *rapid.T) (calls []call.Call) {
	one := rapid.Custom(func(t *rapid.T) call.Call {
		c := call.Call{
			Type:   rapid.SampledFrom([]call.Type{call.Track, call.Track, call.Track, call.Identify, call.Delete}).Draw(t, "type"),
			TimeMS: epoch + rapid.SampledFrom([]int64{0, 1, 2, dayMS - 1, dayMS, dayMS + 1}).Draw(t, "time"),
		}
		if c.Type != call.Delete {
			c.AccountID = rapid.SampledFrom([]string{"", "", "", "a1", "a1", "a1", "a2"}).Draw(t, "account")
		}
		if c.Type == call.Track {
			c.Feature, c.Module = "f", rapid.SampledFrom([]string{"", "", "m"}).Draw(t, "module")
		}
		return c
	})
	for _, user := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"} {
		last := call.Call{Type: call.Track, Feature: "f", TimeMS: epoch + 9*dayMS}
		for _, c := range append(rapid.SliceOfN(one, 1, 6).Draw(t, "calls"), last) {
			c.UserID, c.MessageID, c.OriginalMS = user, fmt.Sprint("m", len(calls)), c.TimeMS
			calls = append(calls, c)
		}
	}
	return calls
}

func testLinksOfTheDeleted(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		history := genLinks(rt)
		order := inAnyOrder(rt, history)
		d := &driver{t: t, open: open, dir: t.TempDir()}
		d.reopen()
		defer d.close()
		for len(order) > 0 {
			n := rapid.IntRange(1, min(len(order), 5)).Draw(rt, "batch")
			d.record("w", order[:n]...)
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				d.reopen()
			}
			order = order[n:]
		}
		if diff := cmp.Diff(newOracle(history).events(), d.events(), cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("events (-want +got):\n%s", diff)
		}
	})
}

// testLinkOfACallWithoutARow records two calls that wrongly have one identity: of the second no row stays, but what it said.
func testLinkOfACallWithoutARow(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	first, second, probe := use("m", "v", "b"), use("m", "u", "a"), use("probe", "u", "")
	first.TimeMS, second.TimeMS, probe.TimeMS = epoch+5, epoch+5, epoch+9
	early := use("early", "u", "a")
	d.record("w", early, first, second, probe)
	if removed, _, err := d.store.DeleteUser(d.t.Context(), "w", "u", epoch+4); removed != (usage.Deleted{Events: 1}) || err != nil {
		t.Errorf("removed %+v, %v", removed, err)
	}
	d.deleteUser("w", "u", epoch+4)
	if diff := cmp.Diff(map[string]int64{"a": 1, "b": 1}, d.uses()); diff != "" {
		t.Errorf("uses by account after the calls up to 4 were deleted (-want +got):\n%s", diff)
	}
	d.deleteUser("w", "u", epoch+5)
	if diff := cmp.Diff(map[string]int64{"": 1, "b": 1}, d.uses()); diff != "" {
		t.Errorf("uses by account after the calls up to 5 were deleted (-want +got):\n%s", diff)
	}
}

// testLinksGoInTheFirstStep deletes up to the very time of a call, whose row is only deleted in the same step.
func testLinksGoInTheFirstStep(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	first, last := use("first", "u", "a"), use("last", "u", "a")
	last.TimeMS = epoch + 5
	d.record("w", first, last)
	for _, step := range []struct {
		untilMS int64
		want    usage.Deleted
	}{{epoch + 4, usage.Deleted{Events: 1}}, {epoch + 5, usage.Deleted{Events: 1, Links: 1}}} {
		if removed, _, err := d.store.DeleteUser(d.t.Context(), "w", "u", step.untilMS); removed != step.want || err != nil {
			t.Errorf("removed %+v and %v up to %d, want %+v", removed, err, step.untilMS, step.want)
		}
	}
}

// testLinksComeBack names the account again of a user who was deleted, and of whom a later use had stayed.
func testLinksComeBack(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	probe, again := use("probe", "u", ""), use("again", "u", "a")
	probe.TimeMS, again.TimeMS = epoch+9, epoch+1
	d.record("w", probe, use("early", "u", "a"))
	d.deleteUser("w", "u", epoch)
	d.record("w", again)
	if diff := cmp.Diff(map[string]int64{"a": 2}, d.uses()); diff != "" {
		t.Errorf("uses by account (-want +got):\n%s", diff)
	}
}

// events lists all uses.
func (d *driver) events() []usage.Event {
	events, err := d.store.Events(d.t.Context(), "w", everything(), nil, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return events
}
