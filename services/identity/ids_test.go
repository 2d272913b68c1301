package identity_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

// usersOf returns the users of an account, of pages of a size, and how many pages there were.
func (c *client) usersOf(account string, idsOnly bool, size int32) (users []*identityv1.User, pages int) {
	r := &identityv1.ListUsersRequest{Workspace: "w", AccountId: &account, IdsOnly: idsOnly, PageSize: size}
	for {
		page, err := c.ListUsers(c.t.Context(), r)
		if err != nil {
			c.t.Fatal(err)
		}
		users, pages = append(users, page.GetUsers()...), pages+1
		if r.PageToken = page.GetNextPageToken(); r.GetPageToken() == "" {
			return users, pages
		}
	}
}

func TestIDsOnlyListsTheSameUsersWithNothingElse(t *testing.T) {
	c := start(t)
	c.record(story()...)
	for account, ids := range map[string][]string{"acme": {"ada", "eve"}, "globex": {"eve"}, "none": nil} {
		var want []*identityv1.User
		for _, id := range ids {
			want = append(want, &identityv1.User{UserId: id, AccountId: account})
		}
		got, pages := c.usersOf(account, true, 1)
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || pages != max(1, len(ids)) {
			t.Errorf("users of %q on %d pages: %s", account, pages, diff)
		}
		if whole, _ := c.usersOf(account, false, 1); len(whole) != len(want) {
			t.Errorf("%q has %d users, and %d are listed otherwise", account, len(want), len(whole))
		}
	}
}

func TestAPageOfIDsMayBeLongerThanOneOfUsers(t *testing.T) {
	c := start(t)
	const users = 1203
	var calls []*segmentv1.Call
	for i := range users {
		calls = append(calls, newCall(track, fmt.Sprint(i), 0, fmt.Sprintf("u%04d", i), "acme"))
	}
	c.record(calls...)
	for _, step := range []struct {
		ids         bool
		size        int32
		users, page int
	}{{true, 1202, users, 2}, {true, 1203, users, 1}, {true, 0, users, 13}, {false, 30_000, users, 2}} {
		got, pages := c.usersOf("acme", step.ids, step.size)
		if len(got) != step.users || pages != step.page || got[users-1].GetUserId() != "u1202" {
			t.Errorf("%+v: %d users on %d pages", step, len(got), pages)
		}
	}
}

func TestIDsOnlyNeedsAnAccountAndATokenOfTheSameRequest(t *testing.T) {
	c := start(t)
	c.record(story()...)
	first, err := c.ListUsers(t.Context(), &identityv1.ListUsersRequest{Workspace: "w", AccountId: new("acme"), IdsOnly: true, PageSize: 1})
	if err != nil || first.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", first, err)
	}
	for what, r := range map[string]*identityv1.ListUsersRequest{
		"no account":          {Workspace: "w", IdsOnly: true},
		"users of no account": {Workspace: "w", IdsOnly: true, AccountId: new("")},
		"no workspace":        {IdsOnly: true, AccountId: new("acme")},
		"another account":     {Workspace: "w", IdsOnly: true, AccountId: new("globex"), PageSize: 1, PageToken: first.GetNextPageToken()},
		"whole users":         {Workspace: "w", AccountId: new("acme"), PageSize: 1, PageToken: first.GetNextPageToken()},
		"a negative page":     {Workspace: "w", IdsOnly: true, AccountId: new("acme"), PageSize: -1},
	} {
		_, err := c.ListUsers(t.Context(), r)
		wantCode(t, what, err, codes.InvalidArgument)
	}
}

func TestIDOnlySaysThatAnAccountIsThereAndNothingElse(t *testing.T) {
	c := start(t)
	c.record(story()...)
	got, err := c.GetAccount(t.Context(), &identityv1.GetAccountRequest{Workspace: "w", AccountId: "acme", IdOnly: true})
	want := &identityv1.GetAccountResponse{Account: &identityv1.Account{AccountId: "acme"}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
	_, err = c.GetAccount(t.Context(), &identityv1.GetAccountRequest{Workspace: "w", AccountId: "none", IdOnly: true})
	wantCode(t, "an account that is not there", err, codes.NotFound)
}
