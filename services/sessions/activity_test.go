package sessions_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

func TestActivityTellsOfTimeByModuleUserAndDay(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	const minute = int64(60_000)
	at := time.Date(2026, 11, 1, 23, 50, 0, 0, time.UTC)
	of := func(module, session, user string) func(*segmentv1.Call) {
		return func(c *segmentv1.Call) { c.Module, c.AnonymousId, c.UserId = module, session, user }
	}
	if _, err := c.RecordCalls(t.Context(), &sessionsv1.RecordCallsRequest{Workspace: "w", Calls: []*segmentv1.Call{
		track("m1", at, of("billing", "s1", "ada")),
		track("m2", at.Add(20*time.Minute), of("billing", "s1", "ada")), // 10 minutes of each day
		track("m3", at, of("reports", "s2", "")),
		track("m4", at.Add(time.Minute), of("reports", "s2", "")), // nobody that is known
	}}); err != nil {
		t.Fatal(err)
	}
	today := uint32(at.Unix() / 86400)
	block, bit := today/64, uint64(1)<<(today%64)
	for name, step := range map[string]struct {
		ask  *activityv1.GetActivityRequest
		want *activityv1.GetActivityResponse
	}{
		"both days": {&activityv1.GetActivityRequest{Workspace: "w", AccountId: "a1"}, &activityv1.GetActivityResponse{
			Modules: []*activityv1.ActivityModule{
				{DurationMs: 21 * minute, ActiveMs: 6 * minute, UserDurationMs: 20 * minute, UserActiveMs: 5 * minute},
			},
			Days: []*activityv1.ActivityDay{
				{Day: today, DurationMs: 11 * minute, ActiveMs: 6 * minute}, {Day: today + 1, DurationMs: 10 * minute},
			},
			Places:  []*activityv1.ActivityPlace{{Block: block}},
			UserIds: []string{"", "ada"}, UserMarks: []uint32{1, 1}, MarkPlaces: []uint32{0, 0}, MarkDays: []uint64{bit, bit | bit<<1},
		}},
		"the first by module": {&activityv1.GetActivityRequest{
			Workspace: "w", AccountId: "a1", ByModule: true, ToDay: "2026-11-01",
		}, &activityv1.GetActivityResponse{
			Modules: []*activityv1.ActivityModule{
				{Module: "reports", DurationMs: minute, ActiveMs: minute},
				{Module: "billing", DurationMs: 10 * minute, ActiveMs: 5 * minute, UserDurationMs: 10 * minute, UserActiveMs: 5 * minute},
			},
			Days:    []*activityv1.ActivityDay{{Day: today, DurationMs: 11 * minute, ActiveMs: 6 * minute}},
			Places:  []*activityv1.ActivityPlace{{Block: block}, {Module: 1, Block: block}},
			UserIds: []string{"", "ada"}, UserMarks: []uint32{1, 1}, MarkPlaces: []uint32{0, 1}, MarkDays: []uint64{bit, bit},
		}},
		"another account": {&activityv1.GetActivityRequest{Workspace: "w", AccountId: "a2"}, &activityv1.GetActivityResponse{}},
	} {
		got, err := c.GetActivity(t.Context(), step.ask)
		if diff := cmp.Diff(step.want, got, protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestActivityOfNoAccountOrNoSpanIsTheClientsMistake(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	for want, r := range map[string]*activityv1.GetActivityRequest{
		"workspace is required":                            {AccountId: "a"},
		"account_id is required":                           {Workspace: "w"},
		"to_day is not a day such as 2026-11-01":           {Workspace: "w", AccountId: "a", ToDay: "yesterday"},
		"page_token is not one that this request returned": {Workspace: "w", AccountId: "a", PageToken: "none"},
	} {
		_, err := c.GetActivity(t.Context(), r)
		if s := status.Convert(err); s.Code() != codes.InvalidArgument || s.Message() != want {
			t.Errorf("%v: %v, want %q", r, err, want)
		}
	}
}
