package sessions_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions"
)

// client is a service in dir, reached over gRPC as any caller would.
type client struct {
	sessionsv1.IngestServiceClient
	sessionsv1.QueryServiceClient
	sessionsv1.AdminServiceClient
	activityv1.ActivityServiceClient

	stop func()
}

func start(t *testing.T, dir string) client {
	t.Helper()
	service, err := sessions.Open(t.Context(), sessions.Config{Dir: dir}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	conn, stop := rpctest.Serve(t, service)
	return client{
		sessionsv1.NewIngestServiceClient(conn), sessionsv1.NewQueryServiceClient(conn), sessionsv1.NewAdminServiceClient(conn),
		activityv1.NewActivityServiceClient(conn), stop,
	}
}

func track(messageID string, at time.Time, change func(*segmentv1.Call)) *segmentv1.Call {
	c := &segmentv1.Call{
		Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: messageID, TimeMs: at.UnixMilli(), OriginalTimeMs: at.UnixMilli(),
		AnonymousId: "s1", UserId: "u1", AccountId: "a1",
	}
	if change != nil {
		change(c)
	}
	return c
}

func TestASessionIsToldWithItsTimes(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	at := time.Date(2026, 11, 1, 23, 50, 0, 0, time.UTC)
	recorded, err := c.RecordCalls(t.Context(), &sessionsv1.RecordCallsRequest{Workspace: "w", Calls: []*segmentv1.Call{
		track("m3", at.Add(20*time.Minute), nil),
		track("m1", at, func(c *segmentv1.Call) { c.Module = "billing" }),
		{Type: segmentv1.CallType_CALL_TYPE_TRACK},
		track("m1", at, func(c *segmentv1.Call) { c.Module = "billing" }),
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := &sessionsv1.RecordCallsResponse{Results: []*segmentv1.Result{
		{Outcome: segmentv1.Outcome_OUTCOME_ACCEPTED},
		{Outcome: segmentv1.Outcome_OUTCOME_ACCEPTED},
		{Outcome: segmentv1.Outcome_OUTCOME_INVALID, Message: "message_id is required"},
		{Outcome: segmentv1.Outcome_OUTCOME_DUPLICATE},
	}}
	if diff := cmp.Diff(want, recorded, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}

	list, err := c.ListSessions(t.Context(), &sessionsv1.ListSessionsRequest{Workspace: "w"})
	if err != nil || len(list.GetSessions()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	got, err := c.GetSession(t.Context(), &sessionsv1.GetSessionRequest{Workspace: "w", Id: list.GetSessions()[0].GetId()})
	if err != nil {
		t.Fatal(err)
	}
	wantSession := &sessionsv1.Session{
		AnonymousId: "s1", UserId: "u1", AccountId: "a1", State: sessionsv1.SessionState_SESSION_STATE_ENDED,
		Start: timestamppb.New(at), End: timestamppb.New(at.Add(20 * time.Minute)),
		Duration: durationpb.New(20 * time.Minute), Active: durationpb.New(5 * time.Minute), Events: 2,
		Modules: []*sessionsv1.ModuleTime{
			{Module: "billing", Duration: durationpb.New(20 * time.Minute), Active: durationpb.New(5 * time.Minute)},
		},
	}
	if diff := cmp.Diff(wantSession, got.GetSession(), protocmp.Transform(), protocmp.IgnoreFields(wantSession, "id", "revision")); diff != "" {
		t.Error(diff)
	}

	days, err := c.QueryTime(t.Context(), &sessionsv1.QueryTimeRequest{
		Workspace: "w", GroupBy: []sessionsv1.GroupBy{sessionsv1.GroupBy_GROUP_BY_DAY, sessionsv1.GroupBy_GROUP_BY_MODULE},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantDays := &sessionsv1.QueryTimeResponse{Rows: []*sessionsv1.TimeRow{
		{Module: "billing", Day: "2026-11-01", Sessions: 1, Users: 1, Duration: durationpb.New(10 * time.Minute), Active: durationpb.New(5 * time.Minute)},
		{Module: "billing", Day: "2026-11-02", Sessions: 1, Users: 1, Duration: durationpb.New(10 * time.Minute), Active: durationpb.New(0)},
	}}
	if diff := cmp.Diff(wantDays, days, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestPagesOfTimeJoinUpToTheWhole(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	var calls []*segmentv1.Call
	for i := range 10 {
		calls = append(calls, track("m", time.UnixMilli(int64(i)*86_400_000), func(c *segmentv1.Call) { c.UserId = string(rune('a' + i%3)) }))
	}
	if _, err := c.RecordCalls(t.Context(), &sessionsv1.RecordCallsRequest{Workspace: "w", Calls: calls}); err != nil {
		t.Fatal(err)
	}
	request := &sessionsv1.QueryTimeRequest{
		Workspace: "w", GroupBy: []sessionsv1.GroupBy{sessionsv1.GroupBy_GROUP_BY_USER, sessionsv1.GroupBy_GROUP_BY_DAY},
	}
	whole, err := c.QueryTime(t.Context(), request)
	if err != nil || len(whole.GetRows()) != 10 {
		t.Fatalf("%d rows, %v", len(whole.GetRows()), err)
	}
	var joined []*sessionsv1.TimeRow
	request.PageSize = 3
	for {
		part, err := c.QueryTime(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		joined = append(joined, part.GetRows()...)
		if request.PageToken = part.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}
	if diff := cmp.Diff(whole.GetRows(), joined, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestARequestThatCannotBeServedIsTheClientsMistake(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	list := func(r *sessionsv1.ListSessionsRequest) error { _, err := c.ListSessions(t.Context(), r); return err }
	query := func(r *sessionsv1.QueryTimeRequest) error { _, err := c.QueryTime(t.Context(), r); return err }
	get := func(r *sessionsv1.GetSessionRequest) error { _, err := c.GetSession(t.Context(), r); return err }
	for name, err := range map[string]error{
		"no workspace":   list(&sessionsv1.ListSessionsRequest{}),
		"from after to":  list(&sessionsv1.ListSessionsRequest{Workspace: "w", From: &timestamppb.Timestamp{Seconds: 2}, To: &timestamppb.Timestamp{Seconds: 1}}),
		"far future":     list(&sessionsv1.ListSessionsRequest{Workspace: "w", To: &timestamppb.Timestamp{Seconds: 1 << 36}}),
		"unknown state":  list(&sessionsv1.ListSessionsRequest{Workspace: "w", State: 9}),
		"negative page":  list(&sessionsv1.ListSessionsRequest{Workspace: "w", PageSize: -1}),
		"foreign token":  list(&sessionsv1.ListSessionsRequest{Workspace: "w", PageToken: "AAAA"}),
		"bad day":        query(&sessionsv1.QueryTimeRequest{Workspace: "w", FromDay: "soon"}),
		"unknown column": query(&sessionsv1.QueryTimeRequest{Workspace: "w", GroupBy: []sessionsv1.GroupBy{0}}),
		"column twice":   query(&sessionsv1.QueryTimeRequest{Workspace: "w", GroupBy: []sessionsv1.GroupBy{1, 1}}),
		"bad id":         get(&sessionsv1.GetSessionRequest{Workspace: "w", Id: "?"}),
	} {
		if got := status.Code(err); got != codes.InvalidArgument {
			t.Errorf("%s: %v, want InvalidArgument", name, err)
		}
	}
	if got := status.Code(get(&sessionsv1.GetSessionRequest{Workspace: "w", Id: "AAAAAAAAAAAAAAAAAAAAAAAA"})); got != codes.NotFound {
		t.Errorf("missing session: %v, want NotFound", got)
	}
}

func TestTheTimerEndsASessionEvenIfTheServiceWasDownMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c := start(t, dir)
		began := time.Now()
		if _, err := c.RecordCalls(t.Context(), &sessionsv1.RecordCallsRequest{
			Workspace: "w", Calls: []*segmentv1.Call{track("m1", began, nil), track("m2", began.Add(time.Second), nil)},
		}); err != nil {
			t.Fatal(err)
		}
		look := func() *sessionsv1.Session {
			t.Helper()
			list, err := c.ListSessions(t.Context(), &sessionsv1.ListSessionsRequest{Workspace: "w"})
			if err != nil || len(list.GetSessions()) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			return list.GetSessions()[0]
		}
		time.Sleep(29 * time.Minute)
		running := look()
		if running.GetState() != sessionsv1.SessionState_SESSION_STATE_ACTIVE {
			t.Errorf("after 29 minutes: %v", running.GetState())
		}
		c.stop()
		time.Sleep(24 * time.Hour)
		c = start(t, dir)
		defer c.stop()
		time.Sleep(2 * time.Second)
		ended := look()
		if ended.GetState() != sessionsv1.SessionState_SESSION_STATE_ENDED || ended.GetRevision() != running.GetRevision() {
			t.Errorf("after a day down: %v, revision %d after %d", ended.GetState(), ended.GetRevision(), running.GetRevision())
		}
		if ended.GetDuration().AsDuration() != time.Second {
			t.Errorf("duration %v", ended.GetDuration().AsDuration())
		}
	})
}

func TestAPageOfSessionsWithVeryManyModulesEndsEarlyAndLosesNothing(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	long := strings.Repeat("x", 500)
	for s := range 8 {
		var calls []*segmentv1.Call
		for i := range 1100 {
			at := time.UnixMilli(int64(s)*100_000_000 + int64(i)*1000)
			calls = append(calls, track(fmt.Sprint("m", i), at, func(c *segmentv1.Call) { c.Module = fmt.Sprint(long, i) }))
		}
		c.record(t, calls...)
	}
	request := &sessionsv1.ListSessionsRequest{Workspace: "w"}
	sessions, pages := 0, 0
	for {
		page, err := c.ListSessions(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if n := proto.Size(page); n > 4<<20 {
			t.Errorf("a page of %d bytes", n)
		}
		for _, s := range page.GetSessions() {
			if len(s.GetModules()) != 1000 || s.GetModulesOmitted() != 99 { // the last has no time
				t.Errorf("%d modules, %d omitted", len(s.GetModules()), s.GetModulesOmitted())
			}
		}
		sessions += len(page.GetSessions())
		pages++
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}
	if sessions != 8 || pages < 2 {
		t.Errorf("%d sessions in %d pages", sessions, pages)
	}
}
