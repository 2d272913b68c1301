// Package storetest is the suite that every directory.Store passes, whatever it keeps its data in.
package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// Open opens the store that lives in dir, making it if there is none.
type Open func(dir string) (directory.Store, error)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *driver){
		"any order, batches, copies, restarts and settings give what the oracle says": testOrderFree,
		"a call is accepted once and its copies get the first one's event time":       testDuplicates,
		"fields are kept as they were sent, the latest of each":                       testFields,
		"calls corrected to the same time are merged alike in either order":           testTies,
		"two calls that share one identity are told apart":                            testConflict,
		"a rejection counts once for each source":                                     testRejections,
		"a call that another service refuses counts as rejected, once":                testRefused,
		"a filtered call is counted each time it comes, and nothing else":             testFiltered,
		"the last rejections are kept, each once, the latest first":                   testKept,
		"old rejections and all but the last are not kept":                            testKeptBounds,
		"rejections that name a deleted user are not kept, in either order":           testKeptDeleted,
		"a call by two sources is accepted for the same one in any order":             testSources,
		"a user moves when the account becomes known":                                 testMove,
		"a deletion makes nobody known and forgets what was said before it":           testDelete,
		"pages join up to the whole list":                                             testPages,
		"each user of an account is visited once, however many there are":             testEachUser,
		"ids that are alike stay apart":                                               testAlikeIDs,
		"a long search for few users finds them all":                                  testSparse,
		"an empty workspace is empty and what is missing is missing":                  testEmpty,
		"a context that has ended is an error":                                        testContext,
	} {
		t.Run(name, func(t *testing.T) {
			d := &driver{t: t, open: open, dir: t.TempDir()}
			d.reopen()
			defer d.close()
			test(t, d)
		})
	}
}

// driver is a store that can be closed and opened again.
type driver struct {
	t     *testing.T
	open  Open
	dir   string
	store directory.Store
}

func (d *driver) reopen() {
	d.t.Helper()
	d.close()
	store, err := d.open(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	d.store = store
}

func (d *driver) close() {
	d.t.Helper()
	if d.store == nil {
		return
	}
	if err := d.store.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.store = nil
}

func (d *driver) record(workspace string, b directory.Batch) directory.Recorded {
	d.t.Helper()
	recorded, err := d.store.Record(context.Background(), workspace, b)
	if err != nil {
		d.t.Fatal(err)
	}
	return recorded
}

func (d *driver) calls(workspace string, calls ...call.Call) []directory.Result {
	d.t.Helper()
	return d.record(workspace, directory.Batch{Calls: calls}).Results
}

// users returns all users, read in pages of a size.
func (d *driver) users(workspace string, account *string, size int) (all []directory.User) {
	d.t.Helper()
	var after directory.UserKey
	for {
		page, err := d.store.Users(context.Background(), workspace, account, after, size)
		if err != nil {
			d.t.Fatal(err)
		}
		if len(page) > 0 && page[0].Compare(after) <= 0 {
			d.t.Fatalf("the page after %q begins with %q", after, page[0].UserKey)
		}
		all = append(all, page...)
		if len(page) < size {
			return all
		}
		after = page[len(page)-1].UserKey
	}
}

// eachUser returns all users that EachUser visits.
func (d *driver) eachUser(workspace, account string) (all []directory.User) {
	d.t.Helper()
	if err := d.store.EachUser(context.Background(), workspace, account, func(u *directory.User) { all = append(all, *u) }); err != nil {
		d.t.Fatal(err)
	}
	return all
}

// unattributed returns all unattributed users, read in pages of a size.
func (d *driver) unattributed(workspace string, reason *attribution.State, size int) (all []directory.Unattributed) {
	d.t.Helper()
	for after := ""; ; after = all[len(all)-1].UserID {
		page, err := d.store.Unattributed(context.Background(), workspace, reason, after, size)
		if err != nil {
			d.t.Fatal(err)
		}
		if all = append(all, page...); len(page) < size {
			return all
		}
	}
}

func (d *driver) accounts(workspace string, size int) (all []directory.Account) {
	d.t.Helper()
	for after := ""; ; after = all[len(all)-1].AccountID {
		page, err := d.store.Accounts(context.Background(), workspace, after, size)
		if err != nil {
			d.t.Fatal(err)
		}
		if len(page) > 0 && page[0].AccountID <= after {
			d.t.Fatalf("the page after %q begins with %q", after, page[0].AccountID)
		}
		all = append(all, page...)
		if len(page) < size {
			return all
		}
	}
}

func (d *driver) books(workspace string) []directory.Book {
	d.t.Helper()
	books, err := d.store.Books(context.Background(), workspace)
	if err != nil {
		d.t.Fatal(err)
	}
	return books
}

// testOrderFree starts over for each pair of histories in workspaces of their own, all in one file. The two use the same ids for all and
// everything, and their calls come in turns.
func testOrderFree(t *testing.T, d *driver) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		all := []*life{genLife(rt, workspaceName(n, "one")), genLife(rt, workspaceName(n, "other"))}
		for running := all; len(running) > 0; {
			l := rapid.SampledFrom(running).Draw(rt, "whose turn")
			l.goOn(rt, d)
			if rapid.IntRange(0, 4).Draw(rt, "restart") == 0 {
				d.reopen()
			}
			running = slices.DeleteFunc(slices.Clone(running), func(l *life) bool { return len(l.coming) == 0 })
		}
		for _, l := range all {
			compare(rt, d, l.workspace, newOracle(l.come), l.settings, l.pageSize)
			checkReplay(rt, d, l.workspace, l.calls)
		}
	})
}

// compare holds every answer of the store against the oracle's.
func compare(t *rapid.T, d *driver, workspace string, o *oracle, settings profile.Settings, size int) {
	compareState(t, d, workspace, o, settings, size)
	if diff := cmp.Diff(o.books(), d.books(workspace), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("books (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(o.kept(), d.keptIDs(workspace), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("kept rejections (-want +got):\n%s", diff)
	}
	for _, id := range []string{"u1", "u2", "u3", "nobody"} {
		got, err := d.store.Resolve(context.Background(), workspace, id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o.resolve(id), got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("resolution of %s (-want +got):\n%s", id, diff)
		}
		listed, err := d.store.User(context.Background(), workspace, id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o.usersWhere(func(u userView) bool { return u.UserID == id }), viewUsers(listed), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("user %s (-want +got):\n%s", id, diff)
		}
	}
}

// compareState compares users and accounts.
func compareState(t *rapid.T, d *driver, workspace string, o *oracle, settings profile.Settings, size int) {
	all := viewUsers(d.users(workspace, nil, size))
	if diff := cmp.Diff(o.usersWhere(func(userView) bool { return true }), all, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("users (-want +got):\n%s", diff)
	}
	for _, account := range []string{"", "a1", "a2", "a3"} {
		want := o.usersWhere(func(u userView) bool { return u.AccountID == account })
		if diff := cmp.Diff(want, viewUsers(d.users(workspace, &account, size)), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("users of %q (-want +got):\n%s", account, diff)
		}
		if account != "" {
			compareIDs(t, d, workspace, account, want, size)
		}
	}
	if diff := cmp.Diff(o.accounts(settings), viewAccounts(t, d.store, workspace, d.accounts(workspace, size), settings), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("accounts with %+v (-want +got):\n%s", settings, diff)
	}
	compareUnmapped(t, d, workspace, o, settings, size)
	compareUnmapped(t, d, workspace, o, profile.Settings{}, size)
	for _, reason := range []*attribution.State{nil, new(attribution.Unknown), new(attribution.Ambiguous)} {
		if diff := cmp.Diff(o.unattributed(reason), d.unattributed(workspace, reason, size), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("unattributed users (-want +got):\n%s", diff)
		}
	}
}

// compareIDs compares the ids of an account's users, read in pages of a size.
func compareIDs(t *rapid.T, d *driver, workspace, account string, want []userView, size int) {
	var ids, listed []string
	for _, u := range want {
		ids = append(ids, u.UserID)
	}
	for after := ""; ; after = listed[len(listed)-1] {
		page, err := d.store.UserIDs(context.Background(), workspace, account, after, size)
		if err != nil {
			t.Fatal(err)
		}
		if listed = append(listed, page...); len(page) < size {
			break
		}
	}
	if diff := cmp.Diff(ids, listed, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("ids of users of %q (-want +got):\n%s", account, diff)
	}
}

// compareUnmapped compares the traits that mean nothing, read in pages of a size.
func compareUnmapped(t *rapid.T, d *driver, workspace string, o *oracle, settings profile.Settings, size int) {
	var all []directory.UnmappedTrait
	for after := ""; ; after = all[len(all)-1].Name {
		page, err := directory.UnmappedTraits(context.Background(), d.store, workspace, settings, after, size)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page...); len(page) < size {
			break
		}
	}
	if diff := cmp.Diff(o.unmapped(settings), all, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("unmapped traits with %+v (-want +got):\n%s", settings.Dimensions.All(), diff)
	}
}

// checkReplay sends every call once more and expects the answers that copies get. It changes no state but the count of duplicates.
func checkReplay(t *rapid.T, d *driver, workspace string, calls []call.Call) {
	for i, got := range d.calls(workspace, calls...) {
		want := directory.Result{Outcome: call.Duplicate, TimeMS: calls[i].TimeMS}
		if got != want {
			t.Fatalf("replay of %+v = %+v, want %+v", calls[i], got, want)
		}
	}
}
