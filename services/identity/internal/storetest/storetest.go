// Package storetest is the suite that every directory.Store passes, whatever it keeps its data in.
package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Open opens the store that lives in dir, making it if there is none.
type Open func(dir string) (directory.Store, error)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("any order, any batches, duplicates and restarts give the oracle's directory", func(t *testing.T) { testOrderFree(t, open) })
	t.Run("the ledger tells new calls, copies and impostors apart", func(t *testing.T) { testLedger(t, open) })
	t.Run("an answer knows what its whole batch taught", func(t *testing.T) { testBatchTeaches(t, open) })
	t.Run("pages join up to the whole list", func(t *testing.T) { testPages(t, open) })
	t.Run("an empty workspace is empty and what is missing is missing", func(t *testing.T) { testEmpty(t, open) })
}

// driver drives one store through restarts.
type driver struct {
	t     testing.TB
	open  Open
	dir   string
	store directory.Store
}

func newDriver(t *testing.T, open Open) *driver {
	t.Helper()
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	return d
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

func (d *driver) record(workspace string, b directory.Batch) []directory.Result {
	results, err := d.store.Record(context.Background(), workspace, b)
	if err != nil {
		d.t.Fatal(err)
	}
	return results
}

func testOrderFree(t *testing.T, open Open) {
	rapid.Check(t, func(rt *rapid.T) {
		want := oracle{genCalls(rt), genRejections(rt)}
		order := rapid.Permutation(slices.Concat(want.calls, rapid.SliceOfN(rapid.SampledFrom(want.calls), 0, 10).Draw(rt, "copies"))).Draw(rt, "order")
		rejections := slices.Concat(want.rejections, want.rejections)
		received := len(order) + len(rejections)

		d := newDriver(t, open)
		defer d.close()
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
			bad := rejections[:rapid.IntRange(0, len(rejections)).Draw(rt, "bad")]
			if n == len(order) {
				bad = rejections
			}
			d.record("w", directory.Batch{Calls: order[:n], Rejections: bad})
			d.record("other", directory.Batch{Calls: want.calls[:1]})
			order, rejections = order[n:], rejections[len(bad):]
			if rapid.IntRange(0, 3).Draw(rt, "restart") == 0 {
				d.reopen()
			}
		}
		compare(rt, d.store, "w", want, received)
		compare(rt, d.store, "other", oracle{calls: want.calls[:1]}, -1)
	})
}

// compare holds everything that the store says of a workspace against the oracle; received is how much it was sent, if not negative.
func compare(t *rapid.T, store directory.Store, workspace string, want oracle, received int) {
	ctx := context.Background()
	same := func(what string, want, got any, err error, options ...cmp.Option) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got, append(options, cmpopts.EquateEmpty())...); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", what, diff)
		}
	}
	users, err := store.Users(ctx, workspace, nil, directory.UserKey{}, 1000)
	same("users", want.users(), users, err)
	for _, account := range []string{"", "a1", "a2"} {
		var listed []directory.User
		for _, u := range want.users() {
			if u.AccountID == account {
				listed = append(listed, u)
			}
		}
		users, err := store.Users(ctx, workspace, &account, directory.UserKey{}, 1000)
		same("users of account "+account, listed, users, err)
	}
	accounts, err := store.Accounts(ctx, workspace, "", 1000)
	same("accounts", want.accounts(), accounts, err)
	for _, user := range []string{"u1", "u2", "u3", "u4"} {
		r, err := store.Resolve(ctx, workspace, user)
		same("resolution of "+user, want.resolve(user), r, err)
	}
	books, err := store.Books(ctx, workspace)
	same("books", want.books(), books, err, cmpopts.IgnoreFields(directory.Book{}, "Duplicate"))
	total := int64(0)
	for _, b := range books {
		total += b.Accepted + b.Duplicate
		for _, n := range b.Rejected {
			total += n
		}
	}
	if received >= 0 && total != int64(received) {
		t.Fatalf("the books hold %d calls, %d were received", total, received)
	}
}

func testLedger(t *testing.T, open Open) {
	d := newDriver(t, open)
	defer d.close()
	first := call.Call{Type: call.Track, MessageID: "m", OriginalMS: epoch, TimeMS: epoch + 500_000, AnonymousID: "s", Feature: "f"}
	later := first // a retry whose clock was corrected otherwise
	later.TimeMS = epoch + 900_000
	impostor := first
	impostor.AnonymousID = "another"
	elsewhen := first
	elsewhen.OriginalMS++

	for _, step := range []struct {
		what string
		call call.Call
		want directory.Result
	}{
		{"new", first, directory.Result{Outcome: call.Accepted, TimeMS: first.TimeMS}},
		{"a copy keeps the first one's time", later, directory.Result{Outcome: call.Duplicate, TimeMS: first.TimeMS}},
		{"another call under the same identity", impostor, directory.Result{Outcome: call.Conflict, TimeMS: first.TimeMS}},
		{"the same messageId at another time", elsewhen, directory.Result{Outcome: call.Accepted, TimeMS: elsewhen.TimeMS}},
	} {
		if diff := cmp.Diff([]directory.Result{step.want}, d.record("w", directory.Batch{Calls: []call.Call{step.call}})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
		d.reopen()
	}
	got := d.record("other", directory.Batch{Calls: []call.Call{first, first}})
	if got[0].Outcome != call.Accepted || got[1].Outcome != call.Duplicate {
		t.Errorf("in another workspace, twice in one batch: %+v", got)
	}
}

func testBatchTeaches(t *testing.T, open Open) {
	d := newDriver(t, open)
	defer d.close()
	track := func(messageID, user, account string) call.Call {
		return call.Call{Type: call.Track, MessageID: messageID, OriginalMS: epoch, TimeMS: epoch, UserID: user, AccountID: account, Feature: "f"}
	}
	var got []string
	for _, r := range d.record("w", directory.Batch{Calls: []call.Call{track("1", "u", ""), track("2", "u", "a"), track("3", "v", ""), track("4", "", "b")}}) {
		got = append(got, r.AccountID)
	}
	if diff := cmp.Diff([]string{"a", "a", "", "b"}, got); diff != "" {
		t.Error(diff)
	}
}

func testPages(t *testing.T, open Open) {
	d := newDriver(t, open)
	defer d.close()
	var calls []call.Call
	for i := range 23 {
		calls = append(calls, call.Call{
			Type: call.Track, MessageID: string(rune('a' + i)), OriginalMS: epoch, TimeMS: epoch, Feature: "f",
			UserID: []string{"u", "u\x00", "v", "w", "uu"}[i%5], AccountID: []string{"", "a", "a\x00b", "b"}[i%4],
		})
	}
	d.record("w", directory.Batch{Calls: calls})
	ctx := context.Background()
	account := "a"
	for name, of := range map[string]*string{"all": nil, "of an account": &account} {
		whole, err := d.store.Users(ctx, "w", of, directory.UserKey{}, 1000)
		if err != nil || len(whole) < 4 {
			t.Fatal(len(whole), err)
		}
		for size := 1; size < 6; size++ {
			var joined []directory.User
			var after directory.UserKey
			for {
				part, err := d.store.Users(ctx, "w", of, after, size)
				if err != nil {
					t.Fatal(err)
				}
				if len(part) == 0 {
					break
				}
				joined = append(joined, part...)
				after = part[len(part)-1].UserKey
			}
			if diff := cmp.Diff(whole, joined); diff != "" {
				t.Errorf("users %s in pages of %d (-want +got):\n%s", name, size, diff)
			}
		}
	}
	var ids []string
	after := ""
	for {
		part, err := d.store.Accounts(ctx, "w", after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(part) == 0 {
			break
		}
		after = part[0].AccountID
		ids = append(ids, after)
	}
	if diff := cmp.Diff([]string{"a", "a\x00b", "b"}, ids); diff != "" {
		t.Error(diff)
	}
}

func testEmpty(t *testing.T, open Open) {
	d := newDriver(t, open)
	defer d.close()
	ctx := context.Background()
	d.record("other", directory.Batch{Calls: []call.Call{{Type: call.Track, MessageID: "m", UserID: "u", AccountID: "a", Feature: "f"}}})
	if got, err := d.store.User(ctx, "w", "u"); len(got) != 0 || err != nil {
		t.Errorf("User = %v, %v", got, err)
	}
	if got, err := d.store.Users(ctx, "w", nil, directory.UserKey{}, 9); len(got) != 0 || err != nil {
		t.Errorf("Users = %v, %v", got, err)
	}
	if _, err := d.store.Account(ctx, "w", "a"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("Account: %v, want ErrNotFound", err)
	}
	if got, err := d.store.Accounts(ctx, "w", "", 9); len(got) != 0 || err != nil {
		t.Errorf("Accounts = %v, %v", got, err)
	}
	if got, err := d.store.Books(ctx, "w"); len(got) != 0 || err != nil {
		t.Errorf("Books = %v, %v", got, err)
	}
	if got, err := d.store.Workspaces(ctx); !slices.Equal(got, []string{"other"}) || err != nil {
		t.Errorf("Workspaces = %v, %v", got, err)
	}
}
