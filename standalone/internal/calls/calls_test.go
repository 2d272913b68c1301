package calls_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/standalone/internal/calls"
	"github.com/sojournhq/sojourn/standalone/internal/follow"
)

// service answers one tail after the other as it is told, and lists what was rejected.
type service struct {
	identityv1.UnimplementedQueryServiceServer

	asked   []*identityv1.TailCallsRequest
	answers []func(to grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error

	rejected int
	pages    []int32
}

func (s *service) TailCalls(r *identityv1.TailCallsRequest, to grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error {
	s.asked = append(s.asked, r)
	return s.answers[len(s.asked)-1](to)
}

func (s *service) ListRejectedCalls(
	_ context.Context, r *identityv1.ListRejectedCallsRequest,
) (*identityv1.ListRejectedCallsResponse, error) {
	s.pages = append(s.pages, r.GetPageSize())
	page := &identityv1.ListRejectedCallsResponse{}
	for range r.GetPageSize() {
		if s.rejected == 0 {
			return page, nil
		}
		s.rejected--
		page.Calls = append(page.Calls, &identityv1.RejectedCall{MessageId: fmt.Sprint("m", s.rejected), Code: "c"})
	}
	page.NextPageToken = "next"
	return page, nil
}

func (s *service) Register(r grpc.ServiceRegistrar) { identityv1.RegisterQueryServiceServer(r, s) }

func (*service) Close() error { return nil }

func (s *service) client(t *testing.T) identityv1.QueryServiceClient {
	t.Helper()
	conn, _ := rpctest.Serve(t, s)
	return identityv1.NewQueryServiceClient(conn)
}

// tells sends messages and then ends with err.
func tells(err error, all ...*identityv1.TailCallsResponse) func(grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error {
	return func(to grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error {
		for _, m := range all {
			if err := to.Send(m); err != nil {
				return err
			}
		}
		return err
	}
}

var (
	errAway   = status.Error(codes.Unavailable, "away")
	errBroken = status.Error(codes.InvalidArgument, "no more")
	received  = time.Date(2026, 11, 24, 10, 0, 0, 5_000_000, time.UTC)
)

func everything() []*identityv1.TailCallsResponse {
	value := func(text string) *segmentv1.Value {
		return &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: text}}
	}
	return []*identityv1.TailCallsResponse{
		{},
		{Call: &identityv1.ReceivedCall{
			Received: timestamppb.New(received), Source: "web", Type: "track", Outcome: identityv1.CallOutcome_CALL_OUTCOME_ACCEPTED,
			Call: &segmentv1.Call{
				MessageId: "m1", TimeMs: received.UnixMilli(), AnonymousId: "s 1", UserId: "<u>", AccountId: "a", Module: "Billing", Feature: "Export",
			},
		}},
		{Call: &identityv1.ReceivedCall{
			Received: timestamppb.New(received), Source: "web", Type: "identify", Outcome: identityv1.CallOutcome_CALL_OUTCOME_CONFLICT,
			Warnings: []*identityv1.Warning{{Code: "group_id_absent", Field: "groupId"}},
			Call: &segmentv1.Call{MessageId: "m2", TimeMs: received.UnixMilli(), UserId: "u", PreviousId: "p", Inactive: true, Traits: []*segmentv1.Trait{
				{Path: "email", Value: value("\x1b[2J\x7f\u009b\u202e")},
				{Path: "n", Value: &segmentv1.Value{Kind: &segmentv1.Value_Number{Number: "1.50"}}},
				{Path: "list", Value: &segmentv1.Value{Kind: &segmentv1.Value_Json{Json: "[1]"}}},
				{Path: "ok", Value: &segmentv1.Value{Kind: &segmentv1.Value_Boolean{Boolean: true}}},
				{Path: "none", Value: &segmentv1.Value{Kind: &segmentv1.Value_Null{Null: true}}},
			}},
		}},
		{Call: &identityv1.ReceivedCall{
			Received: timestamppb.New(received), Source: "web", Type: "page", Outcome: identityv1.CallOutcome_CALL_OUTCOME_FILTERED,
			Warnings: []*identityv1.Warning{{Code: "filtered", Field: "integrations"}},
			Call:     &segmentv1.Call{MessageId: "m4", TimeMs: received.UnixMilli(), UserId: "u", Module: "Billing"},
		}},
		{Missed: 7},
		{Call: &identityv1.ReceivedCall{
			Outcome: identityv1.CallOutcome_CALL_OUTCOME_REJECTED, RepeatedRejection: true, Rejected: &identityv1.RejectedCall{
				Received: timestamppb.New(received), Source: "web", Code: "json_invalid", Message: "the JSON cannot be read at byte 9",
				Body: []byte("{\n\x1b\""), BodyBytes: 9,
			},
		}},
		{Call: &identityv1.ReceivedCall{
			Outcome: identityv1.CallOutcome_CALL_OUTCOME_REJECTED, Rejected: &identityv1.RejectedCall{
				Received: timestamppb.New(received), Source: "web", Type: "track", MessageId: "m3", UserId: "u", Code: "event_required",
				Message: "event is required", Field: "event", Body: []byte("\xff"), BodyBytes: 1,
			},
		}},
	}
}

func tail(t *testing.T, asJSON bool) string {
	t.Helper()
	s := &service{answers: []func(grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error{tells(errBroken, everything()...)}}
	var out bytes.Buffer
	err := calls.Tail{Service: s.client(t), Request: &identityv1.TailCallsRequest{Source: "web"}, JSON: asJSON}.Run(t.Context(), &out)
	var refused *follow.RefusedError
	if !errors.As(err, &refused) || s.asked[0].GetSource() != "web" {
		t.Errorf("asked for %v, ended with %v", s.asked, err)
	}
	return out.String()
}

func TestALineTellsWhatACallWasUnderstoodToBeOrWhyNot(t *testing.T) {
	at := received.Local().Format("15:04:05.000")
	want := strings.ReplaceAll(
		`@ web accepted track module=Billing feature=Export account=a user=<u> session="s 1" time=2026-11-24T10:00:00.005Z message=m1
@ web conflict identify user=u previous=p time=2026-11-24T10:00:00.005Z message=m2 inactive traits.email="\x1b[2J\x7f\u009b\u202e" traits.list=[1] traits.n=1.50 `+
			`traits.none=null traits.ok=true warning=group_id_absent
@ web filtered page module=Billing user=u time=2026-11-24T10:00:00.005Z message=m4 warning=filtered
… 7 calls were missed here, because they came faster than they could be told
@ web rejected again - json_invalid: the JSON cannot be read at byte 9 { `+"\uFFFD"+`" … (9 bytes)
@ web rejected track event_required: event is required user=u message=m3 `+"\uFFFD\n", "@", at)
	if diff := cmp.Diff(want, tail(t, false)); diff != "" {
		t.Error(diff)
	}
}

func TestALineOfJSONHoldsAllOfIt(t *testing.T) {
	want := `{"received":"2026-11-24T10:00:00.005Z","source":"web","type":"track","outcome":"accepted","messageId":"m1",` +
		`"time":"2026-11-24T10:00:00.005Z","anonymousId":"s 1","userId":"<u>","accountId":"a","module":"Billing","feature":"Export"}
{"received":"2026-11-24T10:00:00.005Z","source":"web","type":"identify","outcome":"conflict","messageId":"m2",` +
		`"time":"2026-11-24T10:00:00.005Z","userId":"u","previousId":"p","inactive":true,"traits":{"email":"\u001b[2J\u007f\u009b\u202e","list":[1],"n":1.50,"none":null,"ok":true},` +
		`"warnings":[{"code":"group_id_absent","field":"groupId"}]}
{"received":"2026-11-24T10:00:00.005Z","source":"web","type":"page","outcome":"filtered","messageId":"m4",` +
		`"time":"2026-11-24T10:00:00.005Z","userId":"u","module":"Billing","warnings":[{"code":"filtered","field":"integrations"}]}
{"missed":7}
{"received":"2026-11-24T10:00:00.005Z","source":"web","type":"","outcome":"rejected","messageId":"","userId":"",` +
		`"rejection":{"code":"json_invalid","message":"the JSON cannot be read at byte 9","field":"","repeated":true,` +
		`"body":"{\n\u001b\"","bodyBytes":9}}
{"received":"2026-11-24T10:00:00.005Z","source":"web","type":"track","outcome":"rejected","messageId":"m3","userId":"u",` +
		`"rejection":{"code":"event_required","message":"event is required","field":"event","bodyBase64":"/w==","bodyBytes":1}}
`
	if diff := cmp.Diff(want, tail(t, true)); diff != "" {
		t.Error(diff)
	}
}

func TestAStreamThatIsLostIsOpenedAgainAndThatIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := everything()
		s := &service{answers: []func(grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error{
			tells(errAway, all[:2]...), tells(errAway), tells(nil, all[0], all[3]), tells(errBroken),
		}}
		var out bytes.Buffer
		var lost []string
		began := time.Now()
		_ = calls.Tail{Service: s.client(t), Request: &identityv1.TailCallsRequest{}, JSON: true, Lost: func(reason string) {
			lost = append(lost, reason)
		}}.Run(t.Context(), &out)
		if len(s.asked) != 4 || strings.Count(out.String(), "\n") != 2 || len(lost) != 2 {
			t.Errorf("asked %d times, lost %q, printed %s", len(s.asked), lost, out.String())
		}
		if took := time.Since(began); took != 2*time.Second { // half a second, a second, half a second
			t.Errorf("paused for %v", took)
		}
	})
}

// brokenPipe takes no line.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestWhereNothingCanBePrintedTheTailEnds(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		s := &service{answers: []func(grpc.ServerStreamingServer[identityv1.TailCallsResponse]) error{tells(nil, everything()...)}}
		err := calls.Tail{Service: s.client(t), Request: &identityv1.TailCallsRequest{}, JSON: asJSON}.Run(t.Context(), brokenPipe{})
		if err == nil || !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("ended with %v", err)
		}
	}
	s := &service{rejected: 1}
	printer := calls.Rejected{Service: s.client(t), Request: &identityv1.ListRejectedCallsRequest{}, Limit: 1}
	if err := printer.Print(t.Context(), brokenPipe{}); err == nil {
		t.Error("no error")
	}
}

func TestAsManyRejectedCallsArePrintedAsThereAreOrAreAskedFor(t *testing.T) {
	for _, c := range []struct {
		rejected, limit, want int
		pages                 []int32
	}{{250, 120, 120, []int32{100, 20}}, {150, 1000, 150, []int32{100, 100}}, {0, 10, 0, []int32{10}}, {5, 0, 0, nil}} {
		for _, asJSON := range []bool{false, true} {
			s := &service{rejected: c.rejected}
			var out bytes.Buffer
			printer := calls.Rejected{
				Service: s.client(t), Request: &identityv1.ListRejectedCallsRequest{}, Limit: c.limit, JSON: asJSON,
			}
			err := printer.Print(t.Context(), &out)
			if n := strings.Count(out.String(), "\n"); err != nil || n != c.want || !cmp.Equal(s.pages, c.pages) {
				t.Errorf("%+v: printed %d of pages %v, %v", c, n, s.pages, err)
			}
		}
	}
}
