package identity_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

const noon = int64(1_793_534_400_000)

func str(path, text string) *segmentv1.Trait {
	return &segmentv1.Trait{Path: path, Value: &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: text}}}
}

func num(path, text string) *segmentv1.Trait {
	return &segmentv1.Trait{Path: path, Value: &segmentv1.Value{Kind: &segmentv1.Value_Number{Number: text}}}
}

func null(path string) *segmentv1.Trait {
	return &segmentv1.Trait{Path: path, Value: &segmentv1.Value{Kind: &segmentv1.Value_Null{Null: true}}}
}

func newCall(kind segmentv1.CallType, id string, second int64, user, account string, traits ...*segmentv1.Trait) *segmentv1.Call {
	ms := noon + second*1000
	return &segmentv1.Call{
		Type: kind, MessageId: id, OriginalTimeMs: ms, TimeMs: ms, AnonymousId: "s", UserId: user, AccountId: account, Source: "web",
		Traits: traits,
	}
}

const (
	identify = segmentv1.CallType_CALL_TYPE_IDENTIFY
	group    = segmentv1.CallType_CALL_TYPE_GROUP
	track    = segmentv1.CallType_CALL_TYPE_TRACK
)

// story is a small day at two customers.
func story() []*segmentv1.Call {
	return []*segmentv1.Call{
		newCall(identify, "1", 0, "ada", "", str("firstName", "Ada"), str("email", "old@acme.test"), str("address.city", "London")),
		newCall(track, "2", 1, "ada", "acme"),
		newCall(identify, "3", 2, "ada", "acme", str("email", "ada@acme.test"), null("address"), num("mailing_postal", "0150")),
		newCall(group, "4", 3, "", "acme", str("name", "Acme"), str("tier", "gold"), str("employees", "many")),
		newCall(group, "5", 4, "ada", "acme", str("createdAt", "2020-02-29"), num("employee_count", "12"), str("stage", "lost")),
		newCall(group, "6", 5, "", "globex", str("name", "Globex")),
		newCall(identify, "7", 6, "bob", "", str("name", "Bob Bobson")),
		newCall(track, "8", 7, "eve", "acme"),
		newCall(track, "9", 8, "eve", "globex"),
		newCall(track, "10", 9, "eve", ""),
		{}, // breaks the contract
	}
}

func at(second int64) *timestamppb.Timestamp {
	return &timestamppb.Timestamp{Seconds: noon/1000 + second}
}

// storyState is what the story leaves, worked out by hand.
func storyState() state {
	return state{
		Users: []*identityv1.User{
			{UserId: "ada", AccountId: "acme", LastSeen: at(1), Traits: &identityv1.UserTraits{
				FirstName: new("Ada"), Email: new("ada@acme.test"), MailingPostal: new("0150"),
			}},
			{UserId: "bob", Traits: &identityv1.UserTraits{FirstName: new("Bob"), LastName: new("Bobson")}},
			{UserId: "eve", LastSeen: at(9), Traits: &identityv1.UserTraits{}},
			{UserId: "eve", AccountId: "acme", LastSeen: at(7), Traits: &identityv1.UserTraits{}},
			{UserId: "eve", AccountId: "globex", LastSeen: at(8), Traits: &identityv1.UserTraits{}},
		},
		Accounts: []*identityv1.Account{
			{
				AccountId: "acme", Complete: true,
				Traits: &identityv1.AccountTraits{
					Name: new("Acme"), CreatedAt: &timestamppb.Timestamp{Seconds: 1_582_934_400}, Employees: new(12.0), Tier: new("gold"),
				},
				Problems: []*identityv1.Problem{{Code: "lifecycle_stage_unknown", Trait: "lifecycle_stage"}},
			},
			{AccountId: "globex", Traits: &identityv1.AccountTraits{Name: new("Globex")}, Missing: []string{"createdAt"}},
		},
		Outcomes: []*identityv1.OutcomeCount{
			{Received: 1, Rejected: 1, RejectedByCode: map[string]int64{"call_invalid": 1}},
			{Source: "web", Type: "group", Received: 3, Accepted: 3},
			{Source: "web", Type: "identify", Received: 3, Accepted: 3},
			{Source: "web", Type: "track", Received: 4, Accepted: 4},
		},
	}
}

func TestAStoryIsToldAsAPersonWouldWorkItOut(t *testing.T) {
	c := start(t)
	results := c.record(story()...)
	for i, r := range results {
		want := segmentv1.Outcome_OUTCOME_ACCEPTED
		if i == len(results)-1 {
			want = segmentv1.Outcome_OUTCOME_INVALID
		}
		if r.GetOutcome() != want || (r.GetMessage() == "") != (want == segmentv1.Outcome_OUTCOME_ACCEPTED) {
			t.Errorf("call %d: %v", i, r)
		}
	}
	for _, size := range []int32{0, 1, 2} {
		if diff := cmp.Diff(storyState(), c.state(size), protocmp.Transform()); diff != "" {
			t.Errorf("in pages of %d (-want +got):\n%s", size, diff)
		}
	}
}

func TestTheStoryIsTheSameInAnyOrderWithCopiesBatchesRestartsAndOtherSettingsMeanwhile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir := t.TempDir()
		var config changing
		config.set(workspace.Workspace{})
		calls := story()
		order := rapid.Permutation(append(slices.Clone(calls), rapid.SliceOf(rapid.SampledFrom(calls)).Draw(rt, "copies")...)).Draw(rt, "order")
		for len(order) > 0 {
			c, stop := serve(t, open(t, dir, identity.SettingsOf(&config)))
			for len(order) > 0 && rapid.IntRange(0, 3).Draw(rt, "restart") > 0 {
				n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
				c.record(order[:n]...)
				order = order[n:]
				config.set(rapid.SampledFrom([]workspace.Workspace{
					{Tiers: []string{"silver"}},
					{Dimensions: []workspace.Dimension{{Name: "d", Type: workspace.Number, From: []string{"identify.email", "group.tier"}}}},
				}).Draw(rt, "settings"))
				c.state(0)
			}
			stop()
		}
		c, stop := serve(t, open(t, dir, identity.SettingsOf(&config)))
		defer stop()
		config.set(workspace.Workspace{Tiers: []string{"gold"}, LifecycleStages: []string{"live"}})
		if diff := cmp.Diff(storyState(), c.state(0).withoutDuplicates(), protocmp.Transform()); diff != "" {
			rt.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestACallSentAgainIsADuplicateWithTheSameAnswer(t *testing.T) {
	c := start(t)
	first := newCall(track, "1", 0, "ada", "acme")
	first.TimeMs += 7
	again := proto.CloneOf(first)
	again.TimeMs += 900
	c.record(first)
	want := &identityv1.CallResult{Outcome: segmentv1.Outcome_OUTCOME_DUPLICATE, TimeMs: noon + 7}
	if diff := cmp.Diff(want, c.record(again)[0], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	again.Type = group
	if got := c.record(again)[0].GetOutcome(); got != segmentv1.Outcome_OUTCOME_CONFLICT {
		t.Errorf("another type under the same identity: %s, want a conflict", got)
	}
	books := c.state(0).Outcomes
	want2 := []*identityv1.OutcomeCount{
		{Source: "web", Type: "group", Received: 1, Duplicate: 1}, {Source: "web", Type: "track", Received: 2, Accepted: 1, Duplicate: 1},
	}
	if diff := cmp.Diff(want2, books, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryTraitReachesTheAnswer(t *testing.T) {
	c := start(t)
	sent := func(m proto.Message, special map[string]*segmentv1.Trait) (traits []*segmentv1.Trait) {
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			name := string(fields.Get(i).Name())
			trait, ok := special[name]
			if !ok {
				trait = str(name, "the "+name)
			}
			traits = append(traits, trait)
		}
		return traits
	}
	c.record(
		newCall(identify, "1", 0, "ada", "acme", sent(&identityv1.UserTraits{}, nil)...),
		newCall(group, "2", 0, "", "acme", sent(&identityv1.AccountTraits{}, map[string]*segmentv1.Trait{
			"created_at": num("created_at", "7"), "employees": num("employees", "12"), "tier": str("tier", "gold"),
			"lifecycle_stage": str("lifecycle_stage", "live"), "is_churned": num("is_churned", "1"),
		})...),
	)
	s := c.state(0)
	for _, traits := range []proto.Message{s.Users[0].GetTraits(), s.Accounts[0].GetTraits()} {
		m := traits.ProtoReflect()
		fields := m.Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			got := m.Get(f)
			switch name := string(f.Name()); name {
			case "created_at", "employees", "tier", "lifecycle_stage", "is_churned":
				if !m.Has(f) {
					t.Errorf("%s is not set", name)
				}
			default:
				if f.Kind() != protoreflect.StringKind || got.String() != "the "+name {
					t.Errorf("%s = %v", name, got)
				}
			}
		}
	}
	a := s.Accounts[0].GetTraits()
	if a.GetCreatedAt().GetSeconds() != 7 || a.GetEmployees() != 12 ||
		a.GetTier() != "gold" || a.GetLifecycleStage() != "live" || !a.GetIsChurned() {
		t.Errorf("account traits = %v", a)
	}
}

func TestSettingsThatNameATierLaterShowItWithoutSendingItAgain(t *testing.T) {
	var config changing
	config.set(workspace.Workspace{})
	c, _ := serve(t, open(t, t.TempDir(), identity.SettingsOf(&config)))
	c.record(newCall(group, "1", 0, "", "acme", str("tier", "gold")))
	before := c.state(0).Accounts[0]
	if before.GetTraits().Tier != nil || len(before.GetProblems()) != 1 || before.GetProblems()[0].GetCode() != "tier_unknown" {
		t.Errorf("without settings: %v", before)
	}
	config.set(workspace.Workspace{Tiers: []string{"gold"}})
	if after := c.state(0).Accounts[0]; after.GetTraits().GetTier() != "gold" || len(after.GetProblems()) != 0 {
		t.Errorf("with settings: %v", after)
	}
}

func TestWorkspacesNeverMeet(t *testing.T) {
	c := start(t)
	c.record(newCall(track, "1", 0, "ada", "acme"))
	other := &identityv1.RecordCallsRequest{Workspace: "v", Calls: []*segmentv1.Call{newCall(track, "1", 0, "ada", "")}}
	got, err := c.RecordCalls(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	want := &identityv1.CallResult{Outcome: segmentv1.Outcome_OUTCOME_ACCEPTED, TimeMs: noon}
	if diff := cmp.Diff(want, got.GetResults()[0], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	names, err := c.ListWorkspaces(t.Context(), &identityv1.ListWorkspacesRequest{})
	if err != nil || !slices.Equal(names.GetWorkspaces(), []string{"v", "w"}) {
		t.Errorf("ListWorkspaces = %v, %v", names, err)
	}
}
