package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// kept returns all rejections that are kept, read in pages of a size.
func (d *driver) kept(workspace string, size int) (all []directory.Kept) {
	d.t.Helper()
	for before := uint64(0); ; {
		var page []directory.Kept
		err := d.store.Kept(context.Background(), workspace, before, func(k *directory.Kept) bool {
			page = append(page, *k)
			return len(page) < size
		})
		if err != nil {
			d.t.Fatal(err)
		}
		for i := range page {
			if before != 0 && page[i].Number >= before {
				d.t.Fatalf("number %d after %d", page[i].Number, before)
			}
			before = page[i].Number
		}
		if all = append(all, page...); len(page) < size {
			return all
		}
	}
}

func keptID(r *directory.Rejection) string { return fmt.Sprintf("%x %s", r.Fingerprint[:2], r.Source) }

// keptIDs returns the kept rejections in an order that does not depend on when they came.
func (d *driver) keptIDs(workspace string) (ids []string) {
	d.t.Helper()
	for _, k := range d.kept(workspace, 3) {
		ids = append(ids, keptID(&k.Rejection))
	}
	slices.Sort(ids)
	return ids
}

// wrong is a rejection with a number.
func wrong(n int, body string) directory.Rejection {
	return directory.Rejection{
		Source: "web", Type: "track", Code: "event_required", Fingerprint: [16]byte{byte(n >> 8), byte(n)},
		Message: "event is required", Field: "event", MessageID: fmt.Sprint("m", n), TimeMS: epoch, Body: []byte(body), BodyBytes: int64(len(body)),
	}
}

func at(ms int64, rejections ...directory.Rejection) directory.Batch {
	return directory.Batch{ReceivedMS: ms, Rejections: rejections}
}

func testKept(t *testing.T, d *driver) {
	one, two, long := wrong(1, `{"a":1}`), wrong(2, ``), wrong(3, `{"a"`)
	long.BodyBytes, long.UserID = 1<<20, "u"
	got := d.record("w", at(10, one, two))
	if diff := cmp.Diff([]bool{false, false}, got.Repeated); diff != "" {
		t.Error(diff)
	}
	d.reopen()
	got = d.record("w", at(20, one, long))
	if diff := cmp.Diff([]bool{true, false}, got.Repeated); diff != "" {
		t.Error(diff)
	}
	elsewhere := one
	elsewhere.Source = "app"
	d.record("w", at(30, elsewhere))
	d.record("other", at(40, two))
	want := []directory.Kept{
		{Rejection: elsewhere, ReceivedMS: 30, Times: 1},
		{Rejection: long, ReceivedMS: 20, Times: 1},
		{Rejection: one, ReceivedMS: 20, Times: 2},
		{Rejection: two, ReceivedMS: 10, Times: 1},
	}
	for _, size := range []int{1, 2, 3, 4, 100} {
		numberless := cmpopts.IgnoreFields(directory.Kept{}, "Number")
		if diff := cmp.Diff(want, d.kept("w", size), numberless, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("in pages of %d (-want +got):\n%s", size, diff)
		}
	}
	if got := d.keptIDs("other"); len(got) != 1 {
		t.Errorf("the other workspace has %v", got)
	}
}

func testKeptBounds(t *testing.T, d *driver) {
	var many []directory.Rejection
	for i := range directory.MaxKept + 500 {
		many = append(many, wrong(i, ""))
	}
	d.record("w", at(10, many[:600]...))
	d.record("w", at(20, many[600:]...))
	all := d.kept("w", 100)
	if len(all) != directory.MaxKept || all[0].MessageID != "m1499" || all[len(all)-1].MessageID != "m500" {
		t.Fatalf("%d are kept, from %q to %q", len(all), all[0].MessageID, all[len(all)-1].MessageID)
	}
	d.record("at once", at(10, many...))
	if all := d.kept("at once", 100); len(all) != directory.MaxKept || all[len(all)-1].MessageID != "m500" {
		t.Errorf("of as many at once %d are kept", len(all))
	}
	late := at(30, wrong(2000, ""))
	late.KeepFromMS = 20
	for range 101 { // each removes as many as it brings, and comes again
		d.record("w", late)
	}
	if all := d.kept("w", 100); len(all) != 901 || all[len(all)-1].ReceivedMS != 20 {
		t.Errorf("%d are kept, the oldest received at %d", len(all), all[len(all)-1].ReceivedMS)
	}
	removed := 0
	for _, want := range []int{400, 400, 100, 0} {
		n, err := d.store.TrimKept(context.Background(), "w", 30, 400)
		if err != nil || n != want {
			t.Errorf("trimmed %d, %v, want %d", n, err, want)
		}
		removed += n
	}
	if all := d.kept("w", 100); len(all) != 1 || removed != 900 {
		t.Errorf("%d are kept, %d removed", len(all), removed)
	}
	none := at(40, wrong(3000, ""))
	none.KeepFromMS = 41
	d.record("w", none)
	if all := d.kept("w", 100); len(all) != 0 {
		t.Errorf("%d are kept that are too old", len(all))
	}
}

func testKeptDeleted(t *testing.T, d *driver) {
	named, owned, later, unread := wrong(1, `{"x":"/users/al\u0069ce?"}`), wrong(2, `{`), wrong(3, `{"userId":"alice"}`), wrong(4, `userId=alice`)
	within, others := wrong(5, `{"x":"xalice2x"}`), wrong(6, `{"userId":"bob","a":"alic"}`)
	owned.UserID, later.TimeMS, unread.TimeMS = "alice", epoch+2, 0
	all := []directory.Rejection{named, owned, later, unread, within, others}
	var gone []call.Call
	for i, id := range []string{"alice", "alice2"} {
		gone = append(gone, call.Call{
			Type: call.Delete, MessageID: fmt.Sprint("d", i), UserID: id, OriginalMS: epoch + 1, TimeMS: epoch + 1,
		})
	}
	left := []string{keptID(&later), keptID(&others)}
	for workspace, c := range map[string]struct {
		batches []directory.Batch
		want    []string
	}{
		"kept before": {[]directory.Batch{at(1, all...), {Calls: gone}}, left},
		"at once":     {[]directory.Batch{{Calls: gone, Rejections: all}}, left},
		// What stands inside of a word can only be found when the id is known.
		"after": {[]directory.Batch{{Calls: gone}, at(1, all...), at(2, all...)}, []string{keptID(&later), keptID(&within), keptID(&others)}},
	} {
		for _, b := range c.batches {
			d.record(workspace, b)
			d.reopen()
		}
		if diff := cmp.Diff(c.want, d.keptIDs(workspace)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", workspace, diff)
		}
	}
	for _, want := range []directory.Deleted{{Kept: 1}, {}} {
		if removed, err := d.store.DeleteUser(context.Background(), "after", "alice2", epoch+1); err != nil || removed != want {
			t.Errorf("removed %+v, %v; want %+v", removed, err, want)
		}
	}
	var rejected int64
	for _, b := range d.books("after") {
		rejected += b.Rejected["event_required"]
	}
	if rejected != int64(len(all)) {
		t.Errorf("the books count %d, want %d: what is not kept counts all the same", rejected, len(all))
	}
}

func testRefused(t *testing.T, d *driver) {
	c := track("m", "u", "a")
	refused := wrong(1, `{}`)
	refused.MessageID, refused.Code, refused.Accepted = "m", "call_invalid", &c.OriginalMS
	d.calls("w", c)
	for i, want := range []bool{false, true, true} {
		if got := d.record("w", at(int64(i), refused)).Repeated[0]; got != want {
			t.Errorf("time %d: repeated %v, want %v", i, got, want)
		}
		d.reopen()
		d.calls("w", c)
	}
	byApp := c
	byApp.Source = "app" // sorts first, but nothing is accepted that could move there
	d.calls("w", byApp)
	want := []directory.Book{
		{Source: "app", Type: "track", Duplicate: 1},
		{Source: "web", Type: "track", Duplicate: 3, Rejected: map[string]int64{"call_invalid": 1}},
	}
	if diff := cmp.Diff(want, d.books("w"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("books (-want +got):\n%s", diff)
	}
	if kept := d.kept("w", 9); len(kept) != 1 || kept[0].Times != 3 {
		t.Errorf("kept %+v", kept)
	}
	// The source's settings may change, so that the gateway refuses it by itself.
	refused.Accepted = nil
	if got := d.record("w", at(9, refused, refused)).Repeated; got[0] || !got[1] {
		t.Errorf("repeated %v", got)
	}
	refused.Accepted, refused.MessageID = &c.OriginalMS, "never came"
	if got := d.record("w", at(9, refused)).Repeated; !got[0] {
		t.Error("a call that is not in the ledger was counted")
	}
}
