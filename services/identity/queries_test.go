package identity_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

func TestGetUserNeedsTheAccountOnlyOfAUserOfSeveral(t *testing.T) {
	c := start(t)
	c.record(story()...)
	for _, step := range []struct {
		user    string
		account *string
		want    string // the account
		code    codes.Code
	}{
		{"ada", nil, "acme", codes.OK},
		{"ada", new("acme"), "acme", codes.OK},
		{"ada", new(""), "", codes.NotFound},
		{"ada", new("globex"), "", codes.NotFound},
		{"bob", nil, "", codes.OK},
		{"bob", new(""), "", codes.OK},
		{"eve", nil, "", codes.FailedPrecondition},
		{"eve", new(""), "", codes.OK},
		{"eve", new("globex"), "globex", codes.OK},
		{"nobody", nil, "", codes.NotFound},
		{"", nil, "", codes.InvalidArgument},
	} {
		got, err := c.GetUser(t.Context(), &identityv1.GetUserRequest{Workspace: "w", UserId: step.user, AccountId: step.account})
		wantCode(t, fmt.Sprintf("%+v", step), err, step.code)
		if got.GetUser().GetAccountId() != step.want || err == nil && got.GetUser().GetUserId() != step.user {
			t.Errorf("%+v: %v", step, got)
		}
	}
}

func TestListUsersByAccount(t *testing.T) {
	c := start(t)
	c.record(story()...)
	for account, want := range map[string][]string{"": {"bob", "eve"}, "acme": {"ada", "eve"}, "globex": {"eve"}, "none": nil} {
		var got []string
		for token := ""; ; {
			page, err := c.ListUsers(t.Context(), &identityv1.ListUsersRequest{Workspace: "w", AccountId: &account, PageSize: 1, PageToken: token})
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range page.GetUsers() {
				if u.GetAccountId() != account {
					t.Errorf("%q lists %v", account, u)
				}
				got = append(got, u.GetUserId())
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("users of %q: %s", account, diff)
		}
	}
}

func TestOnlyCompleteAccountsAreListedUnlessAskedFor(t *testing.T) {
	c := start(t)
	var calls []*segmentv1.Call
	for i := range 1200 {
		traits := []*segmentv1.Trait{str("name", "Acme")}
		if i%600 == 599 {
			traits = append(traits, str("createdAt", "2020-01-01"))
		}
		calls = append(calls, newCall(group, fmt.Sprint(i), 0, "", fmt.Sprintf("a%04d", i), traits...))
	}
	c.record(calls...)
	r := &identityv1.ListAccountsRequest{Workspace: "w", PageSize: 1}
	var got []string
	for {
		page, err := c.ListAccounts(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.GetAccounts() {
			got = append(got, a.GetAccountId())
		}
		if r.PageToken = page.GetNextPageToken(); r.GetPageToken() == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"a0599", "a1199"}, got); diff != "" {
		t.Error(diff)
	}
	if all := c.state(500).Accounts; len(all) != 1200 {
		t.Errorf("%d accounts, want 1200", len(all))
	}
	account, err := c.GetAccount(t.Context(), &identityv1.GetAccountRequest{Workspace: "w", AccountId: "a0000"})
	if err != nil || account.GetAccount().GetComplete() || account.GetAccount().GetTraits().GetName() != "Acme" {
		t.Errorf("GetAccount = %v, %v, want the incomplete account", account, err)
	}
}

func TestResolveAccountSaysHowSureItIs(t *testing.T) {
	c := start(t)
	c.record(story()...)
	for user, want := range map[string]*identityv1.ResolveAccountResponse{
		"ada": {Resolution: identityv1.Resolution_RESOLUTION_ACCOUNT, AccountId: "acme"},
		"bob": {Resolution: identityv1.Resolution_RESOLUTION_UNKNOWN},
		"eve": {Resolution: identityv1.Resolution_RESOLUTION_AMBIGUOUS, Candidates: []string{"acme", "globex"}},
	} {
		got, err := c.ResolveAccount(t.Context(), &identityv1.ResolveAccountRequest{Workspace: "w", UserId: user})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", user, diff)
		}
	}
}

func TestUsersOfNoAccountAreListedWithTheReason(t *testing.T) {
	c := start(t)
	c.record(story()...)
	c.record(newCall(track, "20", 20, "ann", "acme"), newCall(track, "21", 21, "ann", "globex")) // ambiguous, but every call names one
	bob := &identityv1.UnattributedUser{UserId: "bob", Reason: identityv1.Resolution_RESOLUTION_UNKNOWN}
	eve := &identityv1.UnattributedUser{
		UserId: "eve", Reason: identityv1.Resolution_RESOLUTION_AMBIGUOUS, Candidates: []string{"acme", "globex"}, LastSeen: at(9),
	}
	for reason, want := range map[identityv1.Resolution][]*identityv1.UnattributedUser{
		identityv1.Resolution_RESOLUTION_UNSPECIFIED: {bob, eve},
		identityv1.Resolution_RESOLUTION_UNKNOWN:     {bob},
		identityv1.Resolution_RESOLUTION_AMBIGUOUS:   {eve},
	} {
		for size := range int32(3) {
			var got []*identityv1.UnattributedUser
			r := &identityv1.ListUnattributedUsersRequest{Workspace: "w", Reason: reason, PageSize: size}
			for {
				page, err := c.ListUnattributedUsers(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, page.GetUsers()...)
				if r.PageToken = page.GetNextPageToken(); r.GetPageToken() == "" {
					break
				}
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("%s in pages of %d: %s", reason, size, diff)
			}
		}
	}
}

func TestEveryRejectionIsCountedOnceAndTheBooksStayBounded(t *testing.T) {
	c := start(t)
	long := strings.Repeat("x", 65)
	hash := func(n byte) []byte { return append(make([]byte, 15), n) }
	r := &identityv1.RecordCallsRequest{
		Workspace: "w",
		Calls:     []*segmentv1.Call{{Source: "web", MessageId: "m"}, {Source: strings.Repeat("s", 513), Type: track, MessageId: "m"}},
		Rejections: []*identityv1.Rejection{
			{Source: "web", Type: "track", Code: "event_required", Fingerprint: hash(1)},
			{Source: "web", Type: "track", Code: long, Fingerprint: hash(2)},
			{Source: "web", Type: long, Fingerprint: hash(3)},
		},
	}
	for range 2 {
		got, err := c.RecordCalls(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, result := range got.GetResults() {
			if result.GetOutcome() != segmentv1.Outcome_OUTCOME_INVALID || result.GetMessage() == "" {
				t.Errorf("result = %v", result)
			}
		}
	}
	want := []*identityv1.OutcomeCount{
		{Source: "", Type: "track", Received: 2, Duplicate: 1, Rejected: 1, RejectedByCode: map[string]int64{"call_invalid": 1}},
		{Source: "web", Type: "", Received: 2, Duplicate: 1, Rejected: 1, RejectedByCode: map[string]int64{"call_invalid": 1}},
		{Source: "web", Type: "other", Received: 2, Duplicate: 1, Rejected: 1, RejectedByCode: map[string]int64{"other": 1}},
		{Source: "web", Type: "track", Received: 4, Duplicate: 2, Rejected: 2, RejectedByCode: map[string]int64{"event_required": 1, "other": 1}},
	}
	if diff := cmp.Diff(want, c.state(0).Outcomes, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestRequestsThatCannotBeServedAreRefused(t *testing.T) {
	c := start(t)
	c.record(story()...)
	page, err := c.ListUsers(t.Context(), &identityv1.ListUsersRequest{Workspace: "w", PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, token := t.Context(), page.GetNextPageToken()
	for name, do := range map[string]func() error{
		"RecordCalls without workspace": func() error { _, err := c.RecordCalls(ctx, &identityv1.RecordCallsRequest{}); return err },
		"GetUser without workspace":     func() error { _, err := c.GetUser(ctx, &identityv1.GetUserRequest{UserId: "u"}); return err },
		"ListUsers without workspace":   func() error { _, err := c.ListUsers(ctx, &identityv1.ListUsersRequest{}); return err },
		"GetAccount without workspace":  func() error { _, err := c.GetAccount(ctx, &identityv1.GetAccountRequest{AccountId: "a"}); return err },
		"GetAccount without account":    func() error { _, err := c.GetAccount(ctx, &identityv1.GetAccountRequest{Workspace: "w"}); return err },
		"ListAccounts without workspace": func() error {
			_, err := c.ListAccounts(ctx, &identityv1.ListAccountsRequest{})
			return err
		},
		"ResolveAccount without user": func() error {
			_, err := c.ResolveAccount(ctx, &identityv1.ResolveAccountRequest{Workspace: "w"})
			return err
		},
		"GetSettings without workspace": func() error {
			_, err := c.GetSettings(ctx, &identityv1.GetSettingsRequest{})
			return err
		},
		"ListOutcomes without workspace": func() error {
			_, err := c.ListOutcomes(ctx, &identityv1.ListOutcomesRequest{})
			return err
		},
		"ListUnmappedTraits without workspace": func() error {
			_, err := c.ListUnmappedTraits(ctx, &identityv1.ListUnmappedTraitsRequest{})
			return err
		},
		"a negative page of traits": func() error {
			_, err := c.ListUnmappedTraits(ctx, &identityv1.ListUnmappedTraitsRequest{Workspace: "w", PageSize: -1})
			return err
		},
		"another RPC's token for traits": func() error {
			_, err := c.ListUnmappedTraits(ctx, &identityv1.ListUnmappedTraitsRequest{Workspace: "w", PageToken: token})
			return err
		},
		"ListUnattributedUsers without workspace": func() error {
			_, err := c.ListUnattributedUsers(ctx, &identityv1.ListUnattributedUsersRequest{})
			return err
		},
		"a reason that is none": func() error {
			_, err := c.ListUnattributedUsers(ctx, &identityv1.ListUnattributedUsersRequest{
				Workspace: "w", Reason: identityv1.Resolution_RESOLUTION_ACCOUNT,
			})
			return err
		},
		"a reason that is unknown here": func() error {
			_, err := c.ListUnattributedUsers(ctx, &identityv1.ListUnattributedUsersRequest{Workspace: "w", Reason: 9})
			return err
		},
		"another request's token for unattributed users": func() error {
			_, err := c.ListUnattributedUsers(ctx, &identityv1.ListUnattributedUsersRequest{Workspace: "w", PageToken: token})
			return err
		},
		"a negative page": func() error {
			_, err := c.ListAccounts(ctx, &identityv1.ListAccountsRequest{Workspace: "w", PageSize: -1})
			return err
		},
		"another request's token": func() error {
			_, err := c.ListUsers(ctx, &identityv1.ListUsersRequest{Workspace: "w", AccountId: new("acme"), PageToken: token})
			return err
		},
		"another RPC's token": func() error {
			_, err := c.ListAccounts(ctx, &identityv1.ListAccountsRequest{Workspace: "w", PageToken: token})
			return err
		},
		"a fingerprint that is none": func() error {
			_, err := c.RecordCalls(ctx, &identityv1.RecordCallsRequest{
				Workspace: "w", Rejections: []*identityv1.Rejection{{Code: "c", Fingerprint: make([]byte, 17)}},
			})
			return err
		},
		"too many at once": func() error {
			r := &identityv1.RecordCallsRequest{Workspace: "w", Calls: make([]*segmentv1.Call, 10_000), Rejections: []*identityv1.Rejection{{}}}
			for i := range r.GetCalls() {
				r.Calls[i] = &segmentv1.Call{}
			}
			_, err := c.RecordCalls(ctx, r)
			return err
		},
	} {
		wantCode(t, name, do(), codes.InvalidArgument)
	}
	_, err = c.GetAccount(ctx, &identityv1.GetAccountRequest{Workspace: "w", AccountId: "none"})
	wantCode(t, "GetAccount of none", err, codes.NotFound)
}

func TestAServiceThatCannotOpenItsStoreSaysSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.Open(t.Context(), identity.Config{Dir: file}, observe.Discard()); err == nil {
		t.Error("a data directory that is a file: no error")
	}
	dir := filepath.Join(t.TempDir(), "new", "data")
	service := open(t, dir, nil)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, %v, want mode 0700", info, err)
	}
	if _, err := identity.Open(t.Context(), identity.Config{Dir: dir}, observe.Discard()); err == nil {
		t.Error("a store in use: no error")
	}
	if err := service.Close(); err != nil {
		t.Fatal(err)
	}
}
