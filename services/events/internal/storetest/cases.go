package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// driver drives one store through restarts.
type driver struct {
	t     testing.TB
	open  Open
	dir   string
	store usage.Store
}

func (d *driver) reopen() {
	d.close()
	store, err := d.open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	d.store = store
}

func (d *driver) close() {
	if d.store != nil {
		if err := d.store.Close(); err != nil {
			d.t.Fatal(err)
		}
		d.store = nil
	}
}

func (d *driver) record(workspace string, calls ...call.Call) []call.Outcome {
	outcomes, err := d.store.Record(context.Background(), workspace, calls)
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range calls {
		if calls[i].Type == call.Delete {
			d.deleteUser(workspace, calls[i].UserID, calls[i].TimeMS)
		}
	}
	return outcomes
}

// deleteUser deletes in as many steps as it takes.
func (d *driver) deleteUser(workspace, user string, untilMS int64) (removed usage.Deleted) {
	for more := true; more; {
		var some usage.Deleted
		var err error
		if some, more, err = d.store.DeleteUser(context.Background(), workspace, user, untilMS); err != nil {
			d.t.Fatal(err)
		}
		removed.Events += some.Events
		removed.Links += some.Links
	}
	return removed
}

func testDeletion(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	at := func(user string, ms int64) call.Call {
		return call.Call{
			Type: call.Track, MessageID: fmt.Sprint(user, ms), UserID: user, AccountID: "a", Feature: "f",
			TimeMS: epoch + ms, OriginalMS: epoch + ms,
		}
	}
	history := []call.Call{at("u", -5), at("u", 1), at("u", 7), at("u", 9), at("v", 1), at("u", dayMS)}
	d.record("w", history...)
	if got, want := d.deleteUser("w", "u", epoch+7), (usage.Deleted{Events: 3}); got != want {
		t.Errorf("removed %+v, want %+v", got, want)
	}
	if again := d.deleteUser("w", "u", epoch+7); again != (usage.Deleted{}) {
		t.Errorf("removed %+v twice", again)
	}
	d.record("w", at("u", 3))
	query := usage.Query{Days: day.Span{To: day.Max}}
	query.By[usage.ByUser], query.By[usage.ByDay] = true, true
	rows, err := d.store.Usage(context.Background(), "w", query, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff((oracle{history[3:]}).usage(query), rows); diff != "" {
		t.Errorf("usage (-want +got):\n%s", diff)
	}
	if got, want := d.deleteUser("w", "u", epoch+9*dayMS), (usage.Deleted{Events: 2, Links: 1}); got != want {
		t.Errorf("removed %+v, want %+v", got, want)
	}
}

// use is one use of feature "f" by a user, on the first day.
func use(messageID, user, account string) call.Call {
	return call.Call{Type: call.Track, MessageID: messageID, TimeMS: epoch, OriginalMS: epoch, UserID: user, AccountID: account, Feature: "f"}
}

// uses returns the uses of each account.
func (d *driver) uses() map[string]int64 {
	q := usage.Query{Days: day.Span{To: day.Max}}
	q.By[usage.ByAccount] = true
	rows, err := d.store.Usage(context.Background(), "w", q, nil, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	byAccount := map[string]int64{}
	for _, row := range rows {
		byAccount[row.AccountID] = row.Uses
	}
	return byAccount
}

func testDuplicates(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	visit := call.Call{Type: call.Page, MessageID: "p", Module: "m"}
	got := d.record("w", use("m1", "u", "a"), use("m1", "u", "a"), visit, use("m2", "u", "a"))
	if want := []call.Outcome{call.Accepted, call.Duplicate, call.Ignored, call.Accepted}; !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
	}
	d.reopen()
	if got := d.record("w", use("m2", "u", "a"), use("m1", "u", "a")); !slices.Equal(got, []call.Outcome{call.Duplicate, call.Duplicate}) {
		t.Errorf("outcomes of copies: %v", got)
	}
	if diff := cmp.Diff(map[string]int64{"a": 2}, d.uses()); diff != "" {
		t.Error(diff)
	}
}

func testLearning(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	for _, step := range []struct {
		what string
		call call.Call
		want map[string]int64
	}{
		{"unknown", use("m1", "u", ""), map[string]int64{"": 1}},
		{"a group call says where the user belongs", call.Call{Type: call.Group, MessageID: "g1", UserID: "u", AccountID: "a"}, map[string]int64{"a": 1}},
		{"a later call too", use("m2", "u", ""), map[string]int64{"a": 2}},
		{"an explicit account counts for itself and makes the user ambiguous", use("m3", "u", "b"), map[string]int64{"": 2, "b": 1}},
		{"a user of nothing", use("m4", "", ""), map[string]int64{"": 3, "b": 1}},
		{"another user", use("m5", "v", ""), map[string]int64{"": 4, "b": 1}},
		{"and its account", use("m6", "v", "c"), map[string]int64{"": 3, "b": 1, "c": 2}},
	} {
		d.record("w", step.call)
		if diff := cmp.Diff(step.want, d.uses()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

func testPages(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	var calls []call.Call
	for i := range 40 {
		c := use(fmt.Sprint("m", i), fmt.Sprint("u", i%3), "")
		c.TimeMS = epoch + int64(i/6) // six uses in the same millisecond
		calls = append(calls, c)
	}
	d.record("w", calls...)
	for name, f := range map[string]usage.Filter{"all": everything(), "of one user": {ToMS: 1 << 60, UserID: ptr("u1")}} {
		whole, err := d.store.Events(context.Background(), "w", f, nil, 1000)
		if err != nil || len(whole) == 0 {
			t.Fatal(len(whole), err)
		}
		for size := 1; size < 9; size++ {
			var joined []usage.Event
			var after *call.Position
			for {
				part, err := d.store.Events(context.Background(), "w", f, after, size)
				if err != nil {
					t.Fatal(err)
				}
				if len(part) == 0 || len(joined) > len(whole) {
					break
				}
				joined = append(joined, part...)
				after = &part[len(part)-1].Position
			}
			if diff := cmp.Diff(whole, joined); diff != "" {
				t.Errorf("%s in pages of %d (-want +got):\n%s", name, size, diff)
			}
		}
	}
}

func testEmpty(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	check := func() {
		if got, err := d.store.Events(context.Background(), "w", everything(), nil, 10); len(got) != 0 || err != nil {
			t.Errorf("Events = %v, %v", got, err)
		}
		if got, err := d.store.Usage(context.Background(), "w", usage.Query{Days: day.Span{To: day.Max}}, nil, 1000); len(got) != 0 || err != nil {
			t.Errorf("Usage = %v, %v", got, err)
		}
	}
	check()
	d.record("other", use("m", "u", "a"))
	check()
	d.record("w", call.Call{Type: call.Page, MessageID: "m", UserID: "u", AccountID: "a"})
	check()
}
