package identity_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

func TestADimensionShowsWhatWasSentBeforeItWasConfiguredAndGoesWithItsSettings(t *testing.T) {
	var config changing
	config.set(workspace.Workspace{})
	c, _ := serve(t, open(t, t.TempDir(), identity.SettingsOf(&config)))
	c.record(
		newCall(group, "1", 0, "", "acme", str("name", "Acme"), str("createdAt", "soon"), str("Plan", "gold"), str("renewal date", "2026-11-01")),
		newCall(identify, "2", 1, "ada", "acme", num("company.size", "12")),
		newCall(identify, "3", 2, "bob", "", num("company.size", "13")), // before it is known that bob is acme's
		newCall(identify, "4", 3, "eve", "globex", num("company.size", "99")),
		newCall(track, "5", 4, "bob", "acme"),
	)
	if account := c.state(0).Accounts[0]; len(account.GetDimensions()) != 0 || len(account.GetProblems()) != 1 {
		t.Errorf("without dimensions: %v", account)
	}
	config.set(workspace.Workspace{Dimensions: []workspace.Dimension{
		{Name: "Size", Type: workspace.Number, From: []string{"group.size", "identify.company.size"}},
		{Name: "Plan", Type: workspace.String, From: []string{"group.plan"}},
		{Name: "Renewal", Type: workspace.Date, From: []string{"group.renewalDate"}},
		{Name: "Seats", Type: workspace.Number, From: []string{"group.plan"}},
		{Name: "Missing", Type: workspace.Number, From: []string{"group.missing"}},
	}})
	dimensions := []*identityv1.Dimension{
		{Name: "Size", Value: &identityv1.Dimension_Number{Number: 13}},
		{Name: "Plan", Value: &identityv1.Dimension_String_{String_: "gold"}},
		{Name: "Renewal", Value: &identityv1.Dimension_Date{Date: &timestamppb.Timestamp{Seconds: 1_793_491_200}}},
	}
	problems := []*identityv1.Problem{
		{Code: "created_at_invalid", Trait: "createdAt"},
		{Code: "dimension_conflict", Dimension: "Size"},
		{Code: "dimension_wrong_type", Dimension: "Seats"},
	}
	got, err := c.GetAccount(t.Context(), &identityv1.GetAccountRequest{Workspace: "w", AccountId: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	for name, account := range map[string]*identityv1.Account{"listed": c.state(0).Accounts[0], "alone": got.GetAccount()} {
		if diff := cmp.Diff(dimensions, account.GetDimensions(), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(problems, account.GetProblems(), protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	config.set(workspace.Workspace{Dimensions: []workspace.Dimension{
		{Name: "Size", Type: workspace.String, From: []string{"identify.company.size"}},
	}})
	want := []*identityv1.Dimension{{Name: "Size", Value: &identityv1.Dimension_String_{String_: "13"}}}
	if diff := cmp.Diff(want, c.state(0).Accounts[0].GetDimensions(), protocmp.Transform()); diff != "" {
		t.Errorf("after another change: %s", diff)
	}
}

// BenchmarkListAccounts asks for pages of 100 accounts with 50 users each, of 1,000 such accounts, with a dimension that is read from users.
func BenchmarkListAccounts(b *testing.B) {
	var config changing
	config.set(workspace.Workspace{Dimensions: []workspace.Dimension{{Name: "Size", Type: workspace.Number, From: []string{"identify.size"}}}})
	service, err := identity.Open(b.Context(), identity.Config{Dir: b.TempDir(), Settings: identity.SettingsOf(&config)}, observe.Discard())
	if err != nil {
		b.Fatal(err)
	}
	conn, _ := rpctest.Serve(b, service)
	ingest, query := identityv1.NewIngestServiceClient(conn), identityv1.NewQueryServiceClient(conn)
	for account := range 1000 {
		r := &identityv1.RecordCallsRequest{Workspace: "w"}
		for user := range 50 {
			id := fmt.Sprintf("%d-%d", account, user)
			traits := []*segmentv1.Trait{num("size", "7"), str("firstName", "Ada"), str("lastName", "Lovelace"), str("email", id+"@acme.test"), str("plan", "x")}
			r.Calls = append(r.Calls, newCall(identify, id, int64(user), id, fmt.Sprint("account-", account), traits...))
		}
		if _, err := ingest.RecordCalls(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	for name, r := range map[string]*identityv1.ListAccountsRequest{
		"100 accounts":  {Workspace: "w", IncludeIncomplete: true},
		"1000 accounts": {Workspace: "w", IncludeIncomplete: true, PageSize: 1000},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := query.ListAccounts(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
