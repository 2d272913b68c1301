package identity_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

type fromService = grpc.ServerStreamingClient[identityv1.TailCallsResponse]

// tail watches calls of workspace w. It returns once the service tells.
func (c *client) tail(ctx context.Context, r *identityv1.TailCallsRequest) fromService {
	c.t.Helper()
	r.Workspace = "w"
	stream, err := c.TailCalls(ctx, r)
	if err != nil {
		c.t.Fatal(err)
	}
	if first, err := stream.Recv(); err != nil || first.GetCall() != nil || first.GetMissed() != 0 {
		c.t.Fatalf("a tail began with %v, %v", first, err)
	}
	return stream
}

func told(t *testing.T, stream fromService) *identityv1.TailCallsResponse {
	t.Helper()
	m, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhoWatchesIsToldOfEveryCallAndWhatBecameOfIt(t *testing.T) {
	c := start(t)
	stream := c.tail(t.Context(), &identityv1.TailCallsRequest{})
	received := time.Now().Add(-time.Second).Truncate(time.Millisecond)
	identify := &segmentv1.Call{
		Type: segmentv1.CallType_CALL_TYPE_IDENTIFY, MessageId: "m", OriginalTimeMs: 5, TimeMs: 7, AnonymousId: "s", UserId: "u", Source: "web",
		Traits: []*segmentv1.Trait{{Path: "email", Value: &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: "e"}}}},
	}
	corrected := &segmentv1.Call{
		Type: identify.GetType(), MessageId: "m", OriginalTimeMs: 5, TimeMs: 9, AnonymousId: "s", UserId: "u", Source: "app",
	}
	another := &segmentv1.Call{Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: "m", OriginalTimeMs: 5, TimeMs: 7, Source: "web"}
	invalid := &segmentv1.Call{Type: segmentv1.CallType_CALL_TYPE_ALIAS, MessageId: "x", UserId: "u", Source: "web"}
	warning := &identityv1.Warning{Code: "type_mismatch", Field: "type"}
	request := &identityv1.RecordCallsRequest{
		Workspace: "w", ReceivedMs: received.UnixMilli(), Calls: []*segmentv1.Call{identify, invalid, corrected, another},
		Rejections: []*identityv1.Rejection{rejection(1, "event_required", "{}")},
		Warnings:   []*identityv1.CallWarnings{{Index: 2, Warnings: []*identityv1.Warning{warning}}},
	}
	for _, workspace := range []string{"other", "w"} {
		request.Workspace = workspace
		if _, err := c.RecordCalls(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	corrected.TimeMs = 7 // that of the first copy
	refused := func(r *identityv1.RejectedCall) *identityv1.ReceivedCall {
		r.Received, r.Source = timestamppb.New(received), "web"
		return &identityv1.ReceivedCall{
			Received: r.GetReceived(), Source: "web", Type: r.GetType(), Outcome: identityv1.CallOutcome_CALL_OUTCOME_REJECTED, Rejected: r,
		}
	}
	taken := func(m *segmentv1.Call, kind string, o identityv1.CallOutcome, warnings ...*identityv1.Warning) *identityv1.ReceivedCall {
		return &identityv1.ReceivedCall{
			Received: timestamppb.New(received), Source: m.GetSource(), Type: kind, Outcome: o, Call: m, Warnings: warnings,
		}
	}
	for i, want := range []*identityv1.ReceivedCall{
		taken(identify, "identify", identityv1.CallOutcome_CALL_OUTCOME_ACCEPTED),
		taken(corrected, "identify", identityv1.CallOutcome_CALL_OUTCOME_DUPLICATE, warning),
		taken(another, "track", identityv1.CallOutcome_CALL_OUTCOME_CONFLICT),
		refused(&identityv1.RejectedCall{
			Type: "alias", MessageId: "x", UserId: "u", Code: "call_invalid", Message: "an alias call needs previous_id and user_id",
		}),
		refused(&identityv1.RejectedCall{
			Type: "track", MessageId: "m1", Code: "event_required", Message: "event_required: fix it", Field: "event", Body: []byte("{}"), BodyBytes: 2,
		}),
	} {
		if diff := cmp.Diff(want, told(t, stream).GetCall(), protocmp.Transform()); diff != "" {
			t.Errorf("call %d (-want +got):\n%s", i, diff)
		}
	}
	c.reject(0, rejection(1, "event_required", "{}"))
	if got := told(t, stream).GetCall(); got.GetOutcome() != identityv1.CallOutcome_CALL_OUTCOME_REJECTED || !got.GetRepeatedRejection() {
		t.Errorf("the second time told %v", got)
	}
}

func TestWhoWatchesSomeCallsIsToldOnlyOfThose(t *testing.T) {
	c := start(t)
	call := func(id, user, source string, kind segmentv1.CallType) *segmentv1.Call {
		return &segmentv1.Call{Type: kind, MessageId: id, UserId: user, Source: source}
	}
	streams := map[string]fromService{}
	for want, r := range map[string]*identityv1.TailCallsRequest{
		"1 2 m5": {Source: "web", UserId: "u"},
		"4":      {Source: "app"},
		"2":      {Type: "page"},
		"m5 m6":  {Outcome: identityv1.CallOutcome_CALL_OUTCOME_REJECTED},
		"1":      {Outcome: identityv1.CallOutcome_CALL_OUTCOME_ACCEPTED, Type: "track", UserId: "u"},
	} {
		streams[want] = c.tail(t.Context(), r)
	}
	c.record(
		call("1", "u", "web", segmentv1.CallType_CALL_TYPE_TRACK), call("2", "u", "web", segmentv1.CallType_CALL_TYPE_PAGE),
		call("3", "v", "web", segmentv1.CallType_CALL_TYPE_TRACK), call("4", "v", "app", segmentv1.CallType_CALL_TYPE_TRACK),
	)
	owned := rejection(5, "c", "")
	owned.UserId = "u"
	c.reject(0, owned, rejection(6, "c", ""))
	for want, stream := range streams {
		for id := range strings.FieldsSeq(want) {
			m := told(t, stream).GetCall()
			if got := m.GetCall().GetMessageId() + m.GetRejected().GetMessageId(); got != id {
				t.Errorf("%q: told of %q", want, got)
			}
		}
	}
}

func TestAWatcherThatLeavesMakesRoomAndOneTooManyIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t)
		ctx, leave := context.WithCancel(t.Context())
		for range 51 {
			c.tail(ctx, &identityv1.TailCallsRequest{})
		}
		one, err := c.TailCalls(t.Context(), &identityv1.TailCallsRequest{Workspace: "w"})
		if err == nil {
			_, err = one.Recv()
		}
		wantCode(t, "one too many", err, codes.ResourceExhausted)
		other, err := c.TailCalls(t.Context(), &identityv1.TailCallsRequest{Workspace: "other"})
		if err == nil {
			_, err = other.Recv()
		}
		wantCode(t, "one of another workspace", err, codes.OK)
		leave()
		synctest.Wait()
		c.tail(t.Context(), &identityv1.TailCallsRequest{})
		one, err = c.TailCalls(t.Context(), &identityv1.TailCallsRequest{})
		if err == nil {
			_, err = one.Recv()
		}
		wantCode(t, "no workspace", err, codes.InvalidArgument)
	})
}

func TestAWatcherThatDoesNotReadHoldsUpNobodyAndIsToldWhatItMissed(t *testing.T) {
	c := start(t)
	stream := c.tail(t.Context(), &identityv1.TailCallsRequest{})
	const many = 400
	for i := range many {
		c.reject(0, rejection(i, "c", strings.Repeat(" ", 32<<10)))
	}
	seen, missed := 0, int64(0)
	for int64(seen)+missed < many {
		switch m := told(t, stream); {
		case m.GetMissed() > 0:
			missed += m.GetMissed()
		default:
			seen++
		}
	}
	if missed == 0 {
		t.Errorf("missed nothing of %d, so this test shows nothing", many)
	}
	c.reject(0, rejection(many, "c", ""))
	if got := told(t, stream); got.GetCall().GetRejected().GetMessageId() != "m400" || int64(seen)+missed != many {
		t.Errorf("seen %d and missed %d of %d; then told %v", seen, missed, many, got)
	}
}

func TestAWatchEndsWhenTheServerStopsAndDoesNotHoldItUp(t *testing.T) {
	service := open(t, t.TempDir(), settings())
	server, err := rpc.NewServer(observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	service.Register(server)
	pipe := rpc.NewPipe()
	conn, err := pipe.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.ServeUntil(ctx, t.Context(), pipe) }()
	c := &client{identityv1.NewIngestServiceClient(conn), identityv1.NewQueryServiceClient(conn), t}
	stream := c.tail(t.Context(), &identityv1.TailCallsRequest{})
	stop()
	_, err = stream.Recv()
	wantCode(t, "stopped", err, codes.Unavailable)
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := service.Close(); err != nil {
		t.Error(err)
	}
}
