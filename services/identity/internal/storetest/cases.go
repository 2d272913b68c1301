package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

func track(id, user, account string) call.Call {
	return call.Call{Type: call.Track, Source: "web", MessageID: id, OriginalMS: epoch, TimeMS: epoch, UserID: user, AccountID: account}
}

func testDuplicates(t *testing.T, d *driver) {
	first := track("m", "u", "a")
	first.TimeMS += 5
	again := first // a retry that was received later may be corrected otherwise
	again.TimeMS += 900
	want := []directory.Result{
		{Outcome: call.Accepted, TimeMS: epoch + 5}, {Outcome: call.Duplicate, TimeMS: epoch + 5},
	}
	if diff := cmp.Diff(want, d.calls("w", first, again)); diff != "" {
		t.Errorf("in one batch: %s", diff)
	}
	d.reopen()
	if diff := cmp.Diff(want[1:], d.calls("w", again)); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
	if got := d.users("w", nil, 10); len(got) != 1 || got[0].LastSeenMS != epoch+5 {
		t.Errorf("users = %+v", got)
	}
	later := first
	later.OriginalMS++
	if got := d.calls("w", later)[0].Outcome; got != call.Accepted {
		t.Errorf("the same messageId at another time: outcome %d, want accepted", got)
	}
	books := []directory.Book{{Source: "web", Type: "track", Accepted: 2, Duplicate: 2}}
	if diff := cmp.Diff(books, d.books("w"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func testFields(t *testing.T, d *driver) {
	sent := []call.Trait{
		{Path: "Total Billed", Value: call.Value{Kind: call.Number, Text: "1.10"}},
		{Path: `a\\.b`, Value: call.Value{Kind: call.String, Text: " x\x00"}},
		{Path: "big", Value: call.Value{Kind: call.String, Text: strings.Repeat("x", profile.MaxField)}},
		{Path: "flag", Value: call.Value{Kind: call.Bool, Text: "false"}},
		{Path: "gone", Value: call.Value{Kind: call.Null}},
		{Path: "list", Value: call.Value{Kind: call.JSON, Text: "[1]"}},
	}
	older := call.Trait{Path: "old", Value: call.Value{Kind: call.String, Text: "kept"}}
	for i, kind := range []call.Type{call.Identify, call.Group, call.Track} {
		c := track(fmt.Sprint("n", i), "u", "a")
		c.Type, c.Traits = kind, sent
		late := track(fmt.Sprint("l", i), "u", "a")
		late.Type, late.TimeMS = kind, epoch-1
		late.Traits = []call.Trait{older, {Path: "list", Value: older.Value}, {Path: "big", Value: older.Value}}
		d.calls(kind.String(), c)
		d.reopen()
		d.calls(kind.String(), late)

		user, account := d.users(kind.String(), nil, 9)[0].Fields, d.accounts(kind.String(), 9)[0].Fields
		var want [2][]profile.Field
		if kind != call.Track {
			want[i] = []profile.Field{{Path: older.Path, Value: older.Value, At: call.Position{TimeMS: epoch - 1, MessageID: late.MessageID}}}
			for _, s := range sent {
				f := profile.Field{Path: s.Path, Value: s.Value, At: call.Position{TimeMS: epoch, MessageID: c.MessageID}}
				if s.Path == "big" {
					f.Value, f.TooLarge = call.Value{}, true
				}
				want[i] = append(want[i], f)
			}
			slices.SortFunc(want[i], func(f, g profile.Field) int { return strings.Compare(f.Path, g.Path) })
		}
		if diff := cmp.Diff(want, [2][]profile.Field{user, account}, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got): %s", kind, diff)
		}
	}
}

func testTies(t *testing.T, d *driver) {
	one, other := track("m", "u", "a"), track("m", "u", "a")
	one.Type, one.Traits = call.Identify, []call.Trait{{Path: "email", Value: call.Value{Kind: call.String, Text: "one"}}}
	other.Type, other.Traits = call.Identify, []call.Trait{{Path: "email", Value: call.Value{Kind: call.String, Text: "other"}}}
	other.OriginalMS = epoch + 500_000
	d.calls("one first", one)
	d.calls("one first", other)
	d.calls("other first", other)
	d.calls("other first", one)
	if diff := cmp.Diff(d.users("one first", nil, 9), d.users("other first", nil, 9)); diff != "" {
		t.Error(diff)
	}
}

func testConflict(t *testing.T, d *driver) {
	first := track("m", "u", "a")
	for name, change := range map[string]func(*call.Call){
		"type":        func(c *call.Call) { c.Type = call.Page },
		"anonymousId": func(c *call.Call) { c.AnonymousID = "s" },
		"userId":      func(c *call.Call) { c.UserID = "v" },
		"account":     func(c *call.Call) { c.AccountID = "b" },
		"module":      func(c *call.Call) { c.Module = "m" },
		"feature":     func(c *call.Call) { c.Feature = "f" },
		"previousId":  func(c *call.Call) { c.PreviousID = "p" },
	} {
		other := first
		change(&other)
		workspace := "w " + name
		got := d.calls(workspace, first, other)
		if got[0].Outcome != call.Accepted || got[1].Outcome != call.Conflict {
			t.Errorf("%s: %+v, want accepted and conflict", name, got)
		}
		if again := d.calls(workspace, other)[0].Outcome; again != call.Conflict {
			t.Errorf("%s, in a batch of its own: outcome %d, want conflict", name, again)
		}
		users, accounts := d.users(workspace, nil, 10), d.accounts(workspace, 10)
		if len(users) != 1 || users[0].UserID != "u" || len(accounts) != 1 || accounts[0].AccountID != "a" {
			t.Errorf("%s: users %+v, accounts %+v, want u and a alone", name, users, accounts)
		}
		var duplicates int64
		for _, b := range d.books(workspace) {
			duplicates += b.Duplicate
		}
		if duplicates != 2 {
			t.Errorf("%s: %d duplicates, want 2", name, duplicates)
		}
	}
}

func testRejections(t *testing.T, d *driver) {
	r := directory.Rejection{Source: "web", Type: "track", Code: "event_required", Fingerprint: [16]byte{1}}
	later, elsewhere, different := r, r, r
	later.Code = "user_id_required"
	elsewhere.Source = "app"
	different.Fingerprint[15] = 1
	d.record("w", directory.Batch{Rejections: []directory.Rejection{r, r, later}})
	d.reopen()
	d.record("w", directory.Batch{Rejections: []directory.Rejection{r, elsewhere, different}})
	want := []directory.Book{
		{Source: "app", Type: "track", Rejected: map[string]int64{"event_required": 1}},
		{Source: "web", Type: "track", Duplicate: 3, Rejected: map[string]int64{"event_required": 2}},
	}
	if diff := cmp.Diff(want, d.books("w")); diff != "" {
		t.Error(diff)
	}
}

func testFiltered(t *testing.T, d *driver) {
	c := track("m", "u", "a")
	filtered := directory.Filtered{Source: "web", Type: "track"}
	d.record("w", directory.Batch{Filtered: []directory.Filtered{filtered, filtered}})
	d.reopen()
	d.record("w", directory.Batch{
		Calls:    []call.Call{c, c},
		Filtered: []directory.Filtered{filtered, {Source: "web", Type: "page"}},
	})
	want := []directory.Book{
		{Source: "web", Type: "page", Filtered: 1},
		{Source: "web", Type: "track", Accepted: 1, Duplicate: 1, Filtered: 3},
	}
	if diff := cmp.Diff(want, d.books("w"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if kept := d.kept("w", 9); len(kept) != 0 {
		t.Errorf("kept %+v", kept)
	}
}

func testSources(t *testing.T, d *driver) {
	byWeb, byApp := track("m", "u", "a"), track("m", "u", "a")
	byApp.Source = "app"
	for workspace, order := range map[string][]call.Call{
		"app first": {byApp, byWeb, byWeb, byApp}, "web first": {byWeb, byApp, byApp, byWeb}, "mixed": {byWeb, byWeb, byApp, byApp},
	} {
		for _, c := range order {
			d.calls(workspace, c)
			d.reopen()
		}
		want := []directory.Book{
			{Source: "app", Type: "track", Accepted: 1, Duplicate: 1}, {Source: "web", Type: "track", Duplicate: 2},
		}
		if diff := cmp.Diff(want, d.books(workspace), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", workspace, diff)
		}
	}
}

func testMove(t *testing.T, d *driver) {
	list := func(account *string) (out []string) {
		for _, u := range d.users("w", account, 10) {
			out = append(out, u.UserID+"@"+u.AccountID)
		}
		return out
	}
	check := func(when string, all, none, a []string) {
		t.Helper()
		for _, c := range []struct {
			account *string
			want    []string
		}{{nil, all}, {new(""), none}, {new("a"), a}} {
			if diff := cmp.Diff(c.want, list(c.account), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s", when, diff)
			}
		}
	}
	d.calls("w", track("1", "u", ""))
	check("unknown", []string{"u@"}, []string{"u@"}, nil)
	d.calls("w", call.Call{Type: call.Alias, MessageID: "2", UserID: "u", PreviousID: "old"})
	check("an alias alone makes no user", []string{"u@"}, []string{"u@"}, nil)
	d.calls("w", track("3", "old", "a"))
	check("known by alias", []string{"old@a", "u@a"}, nil, []string{"old@a", "u@a"})
	d.calls("w", track("4", "u", "b"))
	check("ambiguous", []string{"old@a", "u@", "u@b"}, []string{"u@"}, []string{"old@a"})
}

func testDelete(t *testing.T, d *driver) {
	gone := func(ms int64) call.Call {
		return call.Call{Type: call.Delete, Source: "web", MessageID: fmt.Sprint("d", ms), UserID: "u", OriginalMS: ms, TimeMS: ms}
	}
	at := func(ms int64, c call.Call) call.Call { c.OriginalMS, c.TimeMS = ms, ms; return c }
	if got := d.calls("w", gone(epoch))[0]; got.Outcome != call.Accepted {
		t.Errorf("outcome %d, want accepted", got.Outcome)
	}
	if users, accounts := d.users("w", nil, 10), d.accounts("w", 10); len(users)+len(accounts) != 0 {
		t.Errorf("a call to delete made known users %+v, accounts %+v", users, accounts)
	}
	d.calls("w", at(epoch, track("1", "u", "a")))
	if users, accounts := d.users("w", nil, 10), d.accounts("w", 10); len(users) != 0 || len(accounts) != 1 {
		t.Errorf("a call from before made known users %+v, accounts %+v; want the account", users, accounts)
	}
	d.calls("w", at(epoch+1, track("2", "u", "b")))
	if users := d.users("w", nil, 10); len(users) != 1 || users[0].AccountID != "b" {
		t.Errorf("after a call from later: users %+v", users)
	}
	removed, err := d.store.DeleteUser(context.Background(), "w", "u", epoch+1)
	if want := (directory.Deleted{Users: 1, Links: 1}); err != nil || removed != want {
		t.Errorf("removed %+v, %v; want %+v", removed, err, want)
	}
	if again, err := d.store.DeleteUser(context.Background(), "w", "u", epoch+1); err != nil || again != (directory.Deleted{}) {
		t.Errorf("removed %+v twice, %v", again, err)
	}
	if r, err := d.store.Resolve(context.Background(), "w", "u"); err != nil || r.State != attribution.Unknown {
		t.Errorf("Resolve = %+v, %v", r, err)
	}
	// A call from after a deletion makes the account outlive it, though the link was known before.
	for ms, id := range []string{"3", "4"} {
		d.calls("w", at(epoch+5+5*int64(ms), track(id, "u", "c")))
	}
	for until, want := range map[int64]directory.Deleted{epoch + 9: {}, epoch + 5: {}} {
		if removed, err := d.store.DeleteUser(context.Background(), "w", "u", until); err != nil || removed != want {
			t.Errorf("up to %d removed %+v, %v; want %+v", until-epoch, removed, err, want)
		}
		if r, err := d.store.Resolve(context.Background(), "w", "u"); err != nil || r.Account != "c" {
			t.Errorf("up to %d: Resolve = %+v, %v", until-epoch, r, err)
		}
	}
}

func testPages(t *testing.T, d *driver) {
	var calls []call.Call
	for i := range 30 {
		calls = append(calls, track(fmt.Sprint(i), fmt.Sprintf("u%d", i/3), []string{"", "a", "b"}[i%3]))
	}
	d.calls("w", calls...)
	all, accounts := d.users("w", nil, 1000), d.accounts("w", 1000)
	if len(all) != 30 || !slices.IsSortedFunc(all, func(a, b directory.User) int { return a.Compare(b.UserKey) }) || len(accounts) != 2 {
		t.Fatalf("%d users, %d accounts, want 30 in order and 2", len(all), len(accounts))
	}
	for size := 1; size < 8; size++ {
		if diff := cmp.Diff(all, d.users("w", nil, size)); diff != "" {
			t.Errorf("pages of %d: %s", size, diff)
		}
		for _, account := range []string{"", "a"} {
			if got := d.users("w", &account, size); len(got) != 10 {
				t.Errorf("pages of %d: %d users of %q, want 10", size, len(got), account)
			}
		}
		if diff := cmp.Diff(accounts, d.accounts("w", size)); diff != "" {
			t.Errorf("pages of %d: %s", size, diff)
		}
	}
}

func testEachUser(t *testing.T, d *driver) {
	calls := []call.Call{
		track("elsewhere", "u7", "b"), track("nowhere", "n", ""), track("later", "v", ""),
		{Type: call.Alias, MessageID: "alias", UserID: "v", PreviousID: "u1"},
		{Type: call.Alias, MessageID: "ghost", UserID: "v", PreviousID: "ghost"},
	}
	for i := range 2500 {
		calls = append(calls, track(fmt.Sprint(i), fmt.Sprintf("u%d", i), "a"))
	}
	d.calls("w", calls...)
	got, want := d.eachUser("w", "a"), d.users("w", new("a"), 1000)
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 2501 {
		t.Errorf("visited %d users, want 2501 as they are listed: %s", len(got), diff)
	}
	if got := d.eachUser("w", "none"); len(got) != 0 {
		t.Errorf("nobody's users: %+v", got)
	}
}

func testAlikeIDs(t *testing.T, d *driver) {
	ids := []string{"a", "a\x00", "a\x00\x01b", "a\x01", "ab", "b", "\x00", strings.Repeat("x", call.MaxName)}
	var calls []call.Call
	for _, user := range ids {
		for _, account := range ids {
			calls = append(calls, track(user+"|"+account, user, account))
		}
	}
	d.calls("w", calls...)
	slices.Sort(ids)
	users, accounts := d.users("w", nil, 3), d.accounts("w", 3)
	if len(users) != len(ids)*len(ids) || len(accounts) != len(ids) {
		t.Fatalf("%d users, %d accounts, want %d and %d", len(users), len(accounts), len(ids)*len(ids), len(ids))
	}
	for i, u := range users {
		if want := (directory.UserKey{UserID: ids[i/len(ids)], AccountID: ids[i%len(ids)]}); u.UserKey != want {
			t.Errorf("user %d is %q, want %q", i, u.UserKey, want)
		}
	}
	for _, id := range ids {
		if listed, err := d.store.User(context.Background(), "w", id); err != nil || len(listed) != len(ids) {
			t.Errorf("user %q is listed %d times, want %d; %v", id, len(listed), len(ids), err)
		}
	}
}

func testSparse(t *testing.T, d *driver) {
	calls := []call.Call{track("first", "0", ""), track("last", "z", "")}
	for i := range 3000 {
		calls = append(calls, track(fmt.Sprint(i), fmt.Sprintf("u%d", i), "a"))
	}
	d.calls("w", calls...)
	got := d.users("w", new(""), 2)
	if len(got) != 2 || got[0].UserID != "0" || got[1].UserID != "z" {
		t.Errorf("%d users without an account, want 0 and z", len(got))
	}
	if got := d.unattributed("w", nil, 1); len(got) != 2 || got[0].UserID != "0" || got[1].UserID != "z" {
		t.Errorf("unattributed: %+v, want 0 and z", got)
	}
	if got := d.users("w", nil, 1000); len(got) != 3002 {
		t.Errorf("%d users, want 3002", len(got))
	}
}

func testEmpty(t *testing.T, d *driver) {
	ctx := context.Background()
	check := func() {
		t.Helper()
		users, accounts, books := append(d.users("w", nil, 10), d.eachUser("w", "a")...), d.accounts("w", 10), d.books("w")
		if n := len(d.unattributed("w", nil, 10)) + len(users) + len(accounts) + len(books) + len(d.users("w", new("a"), 10)) + len(d.users("w", new(""), 10)); n != 0 {
			t.Errorf("users %+v, accounts %+v, books %+v", users, accounts, books)
		}
		if listed, err := d.store.User(ctx, "w", "u"); len(listed) != 0 || err != nil {
			t.Errorf("User = %+v, %v", listed, err)
		}
		if _, err := d.store.Account(ctx, "w", "a"); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("Account: %v, want ErrNotFound", err)
		}
		if r, err := d.store.Resolve(ctx, "w", "u"); r.State != attribution.Unknown || err != nil {
			t.Errorf("Resolve = %+v, %v", r, err)
		}
	}
	check()
	d.calls("other", track("m", "u", "a"))
	check()
	d.record("w", directory.Batch{})
	check()
	if names, err := d.store.Workspaces(ctx); err != nil || !slices.Equal(names, []string{"other", "w"}) {
		t.Errorf("Workspaces = %q, %v", names, err)
	}
	if account, err := d.store.Account(ctx, "other", "a"); account.AccountID != "a" || err != nil {
		t.Errorf("Account = %+v, %v", account, err)
	}
}

func testContext(t *testing.T, d *driver) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.store.Users(ctx, "w", nil, directory.UserKey{}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Users: %v, want Canceled", err)
	}
	if err := d.store.EachUser(ctx, "w", "a", func(*directory.User) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("EachUser: %v, want Canceled", err)
	}
	if _, err := d.store.Record(ctx, "w", directory.Batch{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Record: %v, want Canceled", err)
	}
	if _, err := d.store.Workspaces(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Workspaces: %v, want Canceled", err)
	}
}
