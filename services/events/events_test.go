package events_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/events"
)

// client is a service reached over gRPC as any caller would.
type client struct {
	eventsv1.IngestServiceClient
	eventsv1.QueryServiceClient
	activityv1.ActivityServiceClient
}

func start(t *testing.T) client {
	t.Helper()
	service, err := events.Open(t.Context(), events.Config{Dir: t.TempDir()}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	conn, _ := rpctest.Serve(t, service)
	return client{eventsv1.NewIngestServiceClient(conn), eventsv1.NewQueryServiceClient(conn), activityv1.NewActivityServiceClient(conn)}
}

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// filled is a service that three uses and a page view were recorded in, one of them twice, one of them wrong.
func filled(t *testing.T) client {
	t.Helper()
	c := start(t)
	track := func(messageID, user, module, feature string, at time.Time) *segmentv1.Call {
		return &segmentv1.Call{
			Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: messageID, TimeMs: at.UnixMilli(), OriginalTimeMs: at.UnixMilli(),
			UserId: user, AccountId: "a", Module: module, Feature: feature,
		}
	}
	page := track("p", "ada", "Billing", "", noon)
	page.Type = segmentv1.CallType_CALL_TYPE_PAGE
	got, err := c.RecordCalls(t.Context(), &eventsv1.RecordCallsRequest{Workspace: "w", Calls: []*segmentv1.Call{
		track("m3", "bob", "Reports", "Report Built", noon.AddDate(0, 0, 1)),
		track("m1", "ada", "Billing", "Invoice Sent", noon),
		{Type: segmentv1.CallType_CALL_TYPE_TRACK},
		page,
		track("m2", "ada", "Billing", "Invoice Paid", noon.Add(time.Minute)),
		track("m1", "ada", "Billing", "Invoice Sent", noon),
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := &eventsv1.RecordCallsResponse{Results: []*segmentv1.Result{
		{Outcome: segmentv1.Outcome_OUTCOME_ACCEPTED},
		{Outcome: segmentv1.Outcome_OUTCOME_ACCEPTED},
		{Outcome: segmentv1.Outcome_OUTCOME_INVALID, Message: "message_id is required"},
		{Outcome: segmentv1.Outcome_OUTCOME_IGNORED},
		{Outcome: segmentv1.Outcome_OUTCOME_ACCEPTED},
		{Outcome: segmentv1.Outcome_OUTCOME_DUPLICATE},
	}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Fatal(diff)
	}
	return c
}

func TestUsageIsToldByWhateverIsAsked(t *testing.T) {
	c := filled(t)
	first, second, next := timestamppb.New(noon), timestamppb.New(noon.Add(time.Minute)), timestamppb.New(noon.AddDate(0, 0, 1))

	byDay, err := c.QueryUsage(t.Context(), &eventsv1.QueryUsageRequest{
		Workspace: "w", GroupBy: []eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_DAY, eventsv1.GroupBy_GROUP_BY_MODULE}, ToDay: "2026-11-01",
	})
	wantByDay := &eventsv1.QueryUsageResponse{Rows: []*eventsv1.UsageRow{
		{Module: "Billing", Day: "2026-11-01", Uses: 2, Users: 1, DaysUsed: 1, FirstUse: first, LastUse: second},
	}}
	same(t, wantByDay, byDay, err)

	whole, err := c.QueryUsage(t.Context(), &eventsv1.QueryUsageRequest{Workspace: "w"})
	same(t, &eventsv1.QueryUsageResponse{Rows: []*eventsv1.UsageRow{{Uses: 3, Users: 2, DaysUsed: 2, FirstUse: first, LastUse: next}}}, whole, err)

	modules, err := c.ListModules(t.Context(), &eventsv1.ListModulesRequest{Workspace: "w"})
	same(t, &eventsv1.ListModulesResponse{Modules: []*eventsv1.Module{
		{Module: "Billing", Uses: 2, FirstUse: first, LastUse: second}, {Module: "Reports", Uses: 1, FirstUse: next, LastUse: next},
	}}, modules, err)

	features, err := c.ListFeatures(t.Context(), &eventsv1.ListFeaturesRequest{Workspace: "w", Module: proto.String("Billing")})
	same(t, &eventsv1.ListFeaturesResponse{Features: []*eventsv1.Feature{
		{Module: "Billing", Feature: "Invoice Paid", Uses: 1, FirstUse: second, LastUse: second},
		{Module: "Billing", Feature: "Invoice Sent", Uses: 1, FirstUse: first, LastUse: first},
	}}, features, err)

	events, err := c.ListEvents(t.Context(), &eventsv1.ListEventsRequest{Workspace: "w", From: second, UserId: proto.String("ada")})
	same(t, &eventsv1.ListEventsResponse{Events: []*eventsv1.Event{
		{Time: second, MessageId: "m2", Feature: "Invoice Paid", Module: "Billing", UserId: "ada", AccountId: "a"},
	}}, events, err)
}

func same(t *testing.T, want, got proto.Message, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	} else if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPagesJoinUpToTheWhole(t *testing.T) {
	c := filled(t)
	var events []string
	list := &eventsv1.ListEventsRequest{Workspace: "w", PageSize: 2}
	for {
		part, err := c.ListEvents(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range part.GetEvents() {
			events = append(events, e.GetMessageId())
		}
		if list.PageToken = part.GetNextPageToken(); list.GetPageToken() == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"m1", "m2", "m3"}, events); diff != "" {
		t.Error(diff)
	}
	var features []string
	query := &eventsv1.QueryUsageRequest{Workspace: "w", PageSize: 1, GroupBy: []eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_FEATURE}}
	for {
		part, err := c.QueryUsage(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range part.GetRows() {
			features = append(features, row.GetFeature())
		}
		if query.PageToken = part.GetNextPageToken(); query.GetPageToken() == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"Invoice Paid", "Invoice Sent", "Report Built"}, features); diff != "" {
		t.Error(diff)
	}
}

func TestARequestThatCannotBeServedIsTheClientsMistake(t *testing.T) {
	c := start(t)
	list := func(r *eventsv1.ListEventsRequest) error { _, err := c.ListEvents(t.Context(), r); return err }
	query := func(r *eventsv1.QueryUsageRequest) error { _, err := c.QueryUsage(t.Context(), r); return err }
	for name, err := range map[string]error{
		"no workspace":   list(&eventsv1.ListEventsRequest{}),
		"from after to":  list(&eventsv1.ListEventsRequest{Workspace: "w", From: &timestamppb.Timestamp{Seconds: 2}, To: &timestamppb.Timestamp{Seconds: 1}}),
		"far future":     list(&eventsv1.ListEventsRequest{Workspace: "w", To: &timestamppb.Timestamp{Seconds: 1 << 36}}),
		"negative page":  list(&eventsv1.ListEventsRequest{Workspace: "w", PageSize: -1}),
		"foreign token":  list(&eventsv1.ListEventsRequest{Workspace: "w", PageToken: "AAAA"}),
		"unnamed":        query(&eventsv1.QueryUsageRequest{}),
		"bad day":        query(&eventsv1.QueryUsageRequest{Workspace: "w", FromDay: "soon"}),
		"unknown column": query(&eventsv1.QueryUsageRequest{Workspace: "w", GroupBy: []eventsv1.GroupBy{0}}),
		"column twice":   query(&eventsv1.QueryUsageRequest{Workspace: "w", GroupBy: []eventsv1.GroupBy{1, 1}}),
	} {
		if got := status.Code(err); got != codes.InvalidArgument {
			t.Errorf("%s: %v, want InvalidArgument", name, err)
		}
	}
}
