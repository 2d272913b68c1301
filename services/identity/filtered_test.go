package identity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

func filteredCall(id string, warnings ...*identityv1.Warning) *identityv1.FilteredCall {
	return &identityv1.FilteredCall{Call: newCall(track, id, 0, "u", "acme"), Warnings: warnings}
}

func TestFilteredCallsAreCountedEachCopyAndHaveNoOtherEffect(t *testing.T) {
	dir := t.TempDir()
	c, stop := serve(t, open(t, dir, settings()))
	request := &identityv1.RecordCallsRequest{
		Workspace: "w", Filtered: []*identityv1.FilteredCall{filteredCall("1"), filteredCall("1"), {Call: &segmentv1.Call{
			Type: identify, Source: strings.Repeat("s", 513),
		}}},
	}
	for range 2 {
		response, err := c.RecordCalls(t.Context(), request)
		if err != nil || len(response.GetResults())+len(response.GetRejections()) != 0 {
			t.Errorf("answered %v, %v", response, err)
		}
	}
	want := state{Outcomes: []*identityv1.OutcomeCount{
		{Type: "identify", Received: 2, Filtered: 2}, {Source: "web", Type: "track", Received: 4, Filtered: 4},
	}}
	if diff := cmp.Diff(want, c.state(0), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	// A rule that is taken back leaves nothing behind: the same call is new.
	if got := c.record(newCall(track, "1", 0, "u", "acme"))[0].GetOutcome(); got != segmentv1.Outcome_OUTCOME_ACCEPTED {
		t.Errorf("outcome %v", got)
	}
	stop()
	if problems := verify(t, dir); len(problems) > 0 {
		t.Errorf("found %q", problems)
	}
}

func TestFilteredCallsCountForTheSizeOfARequest(t *testing.T) {
	c := start(t)
	request := &identityv1.RecordCallsRequest{Workspace: "w"}
	for range 10_000 {
		request.Filtered = append(request.Filtered, filteredCall("1"))
	}
	if _, err := c.RecordCalls(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	request.Calls = []*segmentv1.Call{newCall(track, "2", 0, "u", "acme")}
	_, err := c.RecordCalls(t.Context(), request)
	wantCode(t, "one more", err, codes.InvalidArgument)
}

func TestWhoWatchesIsToldOfFilteredCallsAsTheyWereUnderstood(t *testing.T) {
	c := start(t)
	all := c.tail(t.Context(), &identityv1.TailCallsRequest{})
	some := c.tail(t.Context(), &identityv1.TailCallsRequest{Outcome: identityv1.CallOutcome_CALL_OUTCOME_FILTERED, UserId: "u"})
	f := filteredCall("2", &identityv1.Warning{Code: "filtered", Field: "integrations"})
	f.Call.Traits = []*segmentv1.Trait{str("email", "e")}
	_, err := c.RecordCalls(t.Context(), &identityv1.RecordCallsRequest{
		Workspace: "w", Calls: []*segmentv1.Call{newCall(track, "1", 0, "u", "acme")}, Filtered: []*identityv1.FilteredCall{f},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := told(t, all).GetCall().GetOutcome(); got != identityv1.CallOutcome_CALL_OUTCOME_ACCEPTED {
		t.Errorf("first told of %v", got)
	}
	want := &identityv1.ReceivedCall{
		Source: "web", Type: "track", Outcome: identityv1.CallOutcome_CALL_OUTCOME_FILTERED, Call: f.GetCall(), Warnings: f.GetWarnings(),
	}
	for _, stream := range []fromService{all, some} {
		got := told(t, stream).GetCall()
		if got.GetReceived() == nil {
			t.Error("told of no time of receipt")
		}
		got.Received = nil
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
}
