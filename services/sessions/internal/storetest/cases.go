package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// point is a track call of session "s" so many minutes after the epoch.
func point(minutes int64) call.Call {
	return call.Call{
		Type: call.Track, AnonymousID: "s", MessageID: fmt.Sprint("m", minutes), TimeMS: epoch + minutes*minute, OriginalMS: epoch + minutes*minute,
	}
}

func testDuplicates(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	noSession := call.Call{Type: call.Track, MessageID: "x"}
	got := d.record("w", point(0), point(0), noSession, point(1))
	want := []call.Outcome{call.Accepted, call.Duplicate, call.Ignored, call.Accepted}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	before, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	d.reopen()
	if got := d.record("w", point(1), point(0)); !slices.Equal(got, []call.Outcome{call.Duplicate, call.Duplicate}) {
		t.Errorf("outcomes of copies: %v", got)
	}
	after, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" { // revisions too
		t.Error(diff)
	}
}

func testLatePoints(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	named := func(c call.Call, user string) call.Call { c.UserID = user; return c }
	for _, step := range []struct {
		what string
		call call.Call
		want []string
	}{
		{"the first", point(100), []string{"100-100"}},
		{"apart from it", point(140), []string{"100-100", "140-140"}},
		{"far behind", point(500), []string{"100-100", "140-140", "500-500"}},
		{"bridges two", point(120), []string{"100-140", "500-500"}},
		{"before the first", point(80), []string{"80-140", "500-500"}},
		{"extends", point(170), []string{"80-170", "500-500"}},
		{"names a user", named(point(130), "u"), []string{"80-170", "500-500"}},
		{"another user splits", named(point(110), "v"), []string{"80-120", "130-170", "500-500"}},
		{"on its own", point(300), []string{"80-120", "130-170", "300-300", "500-500"}},
	} {
		d.record("w", step.call)
		if diff := cmp.Diff(step.want, d.spans()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

func testTimers(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	now := func(minutes int64) int64 { return epoch + minutes*minute }
	first := point(0)
	revision := func() int64 {
		v, err := d.store.Session(context.Background(), "w", session.First{AnonymousID: "s", Start: first.Position()}.ID(), 0)
		if err != nil {
			t.Fatal(err)
		}
		return v.Revision
	}
	d.record("w", point(0))
	d.record("w", point(20))
	for _, step := range []struct {
		what    string
		do      func()
		nowMS   int64
		looked  int
		changes bool
	}{
		{"at the timeout nothing is due", func() {}, now(30), 0, false},
		{"the session went on, its timer is put back", func() {}, now(31), 1, false},
		{"after a restart it ends", d.reopen, now(50) + 1, 1, false},
		{"once", func() {}, now(5000), 0, false},
		{"a late point gives it a timer again", func() { d.record("w", point(40)) }, now(60), 0, true},
		{"which ends it again", d.reopen, now(5000), 1, false},
		{"the same revision is changed but once", func() { d.record("w", point(50)); d.record("w", point(60)) }, now(61), 0, true},
	} {
		before := revision()
		step.do()
		if looked := d.endDue(step.nowMS); looked != step.looked {
			t.Errorf("%s: looked at %d timers, want %d", step.what, looked, step.looked)
		}
		if changed := revision() != before; changed != step.changes {
			t.Errorf("%s: revision changed: %v, want %v", step.what, changed, step.changes)
		}
	}
}

func testActive(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	for m := int64(0); m <= 24*60; m += 20 {
		d.record("w", point(m))
	}
	for name, now := range map[string]int64{"going on": epoch + dayMS, "at the timeout": epoch + dayMS + d.rules.TimeoutMS} {
		f := everything(now)
		f.Ended = ptr(false)
		if views, err := d.store.Sessions(context.Background(), "w", f, nil, 10); err != nil || len(views) != 1 {
			t.Errorf("%s: %d active sessions, %v", name, len(views), err)
		}
	}
}

// testOneMillisecond lets two users take turns at one time, as a client does that sends dates for times.
func testOneMillisecond(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	var history []call.Call
	for i := range 1500 {
		c := point(0)
		c.MessageID, c.UserID = fmt.Sprintf("%08x", uint32(i)*2_654_435_761), fmt.Sprint("u", i%2)
		history = append(history, c)
	}
	for part := range slices.Chunk(history, 300) {
		d.record("w", part...)
	}
	views, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 2000)
	if err != nil {
		t.Fatal(err)
	}
	want := Oracle{history, d.rules}.Views(0)
	if diff := cmp.Diff(want, views, cmpopts.IgnoreFields(session.View{}, "Revision")); diff != "" {
		t.Error(diff)
	}
}

func testPages(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	var calls []call.Call
	for i := range 40 {
		c := point(int64(i/4) * 100) // four sessions start in the same millisecond
		c.AnonymousID = fmt.Sprint("s", i%7)
		c.MessageID = fmt.Sprint("m", i)
		c.UserID = fmt.Sprint("u", i%3)
		calls = append(calls, c)
	}
	d.record("w", calls...)
	for name, f := range map[string]session.Filter{
		"all":     everything(0),
		"of user": {ToMS: 1 << 60, UserID: ptr("u1")},
		"of none": {ToMS: 1 << 60, AccountID: ptr("")},
	} {
		whole, err := d.store.Sessions(context.Background(), "w", f, nil, 1000)
		if err != nil || len(whole) == 0 {
			t.Fatal(len(whole), err)
		}
		for size := 1; size < 9; size++ {
			var joined []session.View
			var after *session.First
			for {
				part, err := d.store.Sessions(context.Background(), "w", f, after, size)
				if err != nil {
					t.Fatal(err)
				}
				if len(part) == 0 {
					break
				}
				joined = append(joined, part...)
				after = &part[len(part)-1].First
			}
			if diff := cmp.Diff(whole, joined); diff != "" {
				t.Errorf("%s in pages of %d (-want +got):\n%s", name, size, diff)
			}
		}
	}
}
