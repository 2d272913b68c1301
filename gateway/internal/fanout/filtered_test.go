package fanout_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

func TestAFilteredCallGoesToIdentityAloneAndOnlyToBeCounted(t *testing.T) {
	b := backendtest.Start(t)
	f := fanout.New(b.Identity.Conn, b.Events.Conn, b.Sessions.Conn)
	parsed := func(id string, kind call.Type) fanout.Call {
		return fanout.Call{Parsed: segment.Parsed{Call: call.Call{Type: kind, MessageID: id, TimeMS: 7, OriginalMS: 7, UserID: "u", Source: "web"}}}
	}
	filtered, deletes, taken := parsed("f", call.Track), parsed("d", call.Delete), parsed("t", call.Track)
	taken.Warnings = []segment.Problem{{Code: "type_mismatch", Field: "type"}}
	filtered.Filter("integrations", "switched off")
	deletes.Filter("ignore[0]", "ignored")
	recorded, err := f.Record(t.Context(), fanout.Request{
		Workspace: "w", Source: "web", Calls: []fanout.Call{filtered, deletes, taken, filtered},
	})
	if err != nil {
		t.Fatal(err)
	}
	ignored := fanout.Result{Outcome: call.Ignored}
	want := []fanout.Result{ignored, ignored, {Outcome: call.Accepted, Message: "as told"}, ignored}
	if diff := cmp.Diff(want, recorded.Results); diff != "" {
		t.Error(diff)
	}
	message := func(id string, kind segmentv1.CallType) *segmentv1.Call {
		return &segmentv1.Call{Type: kind, MessageId: id, TimeMs: 7, OriginalTimeMs: 7, UserId: "u", Source: "web"}
	}
	track, why := segmentv1.CallType_CALL_TYPE_TRACK, []*identityv1.Warning{{Code: "filtered", Field: "integrations"}}
	request := &identityv1.RecordCallsRequest{
		Workspace: "w", Calls: []*segmentv1.Call{message("t", track)},
		Warnings: []*identityv1.CallWarnings{{Warnings: []*identityv1.Warning{{Code: "type_mismatch", Field: "type"}}}},
		Filtered: []*identityv1.FilteredCall{
			{Call: message("f", track), Warnings: why},
			{Call: message("d", segmentv1.CallType_CALL_TYPE_DELETE), Warnings: []*identityv1.Warning{{Code: "filtered", Field: "ignore[0]"}}},
			{Call: message("f", track), Warnings: why},
		},
	}
	if diff := cmp.Diff(request, b.Identity.Requests()[0], protocmp.Transform(),
		protocmp.IgnoreFields(request, "received_ms")); diff != "" {
		t.Error(diff)
	}
	for name, s := range map[string]*backendtest.Service{"events": b.Events, "sessions": b.Sessions} {
		if calls := s.Calls(); len(calls) != 1 || calls[0].GetMessageId() != "t" {
			t.Errorf("%s got %v", name, calls)
		}
	}
}

func TestEventsAndSessionsAreNotAskedAboutFilteredCalls(t *testing.T) {
	broken := replies{err: errors.New("asked")}
	c := fanout.Call{}
	c.Filter("ignore[0]", "not wanted")
	// An identity service of before filtered calls answers the same: it takes what it knows, and counts none of them.
	if _, err := fanout.New(identitySays(), broken, broken).Record(t.Context(), fanout.Request{Calls: []fanout.Call{c, c}}); err != nil {
		t.Error(err)
	}
}
