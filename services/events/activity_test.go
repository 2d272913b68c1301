package events_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
)

func TestActivityTellsOfUsesByFeatureUserAndDay(t *testing.T) {
	c := filled(t)
	today := uint32(noon.Unix() / 86400)
	block, bit := today/64, uint64(1)<<(today%64)

	got, err := c.GetActivity(t.Context(), &activityv1.GetActivityRequest{Workspace: "w", AccountId: "a", ToDay: "2026-11-01", ByModule: true})
	want := &activityv1.GetActivityResponse{
		Modules: []*activityv1.ActivityModule{{Module: "Billing"}},
		Features: []*activityv1.ActivityFeature{
			{
				Feature: "Invoice Paid", Uses: 1, UserUses: 1, Users: 1, UserDays: 1,
				Days: []*activityv1.ActivityDays{{Block: block, Days: bit}}, LastUseMs: noon.UnixMilli() + 60_000,
			},
			{
				Feature: "Invoice Sent", Uses: 1, UserUses: 1, Users: 1, UserDays: 1,
				Days: []*activityv1.ActivityDays{{Block: block, Days: bit}}, LastUseMs: noon.UnixMilli(),
			},
		},
		Days:    []*activityv1.ActivityDay{{Day: today, Uses: 2}},
		Places:  []*activityv1.ActivityPlace{{Block: block}},
		UserIds: []string{"ada"}, UserMarks: []uint32{1}, MarkPlaces: []uint32{0}, MarkDays: []uint64{bit},
	}
	features := protocmp.SortRepeatedFields(want, "features") // which come in no order
	if diff := cmp.Diff(want, got, protocmp.Transform(), features); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	whole, err := c.GetActivity(t.Context(), &activityv1.GetActivityRequest{Workspace: "w", AccountId: "a"})
	same(t, &activityv1.GetActivityResponse{
		Modules: []*activityv1.ActivityModule{{}}, // all in one, of which events knows no time
		Days:    []*activityv1.ActivityDay{{Day: today, Uses: 2}, {Day: today + 1, Uses: 1}},
		Places:  []*activityv1.ActivityPlace{{Block: block}},
		UserIds: []string{"bob", "ada"}, UserMarks: []uint32{1, 1}, MarkPlaces: []uint32{0, 0}, MarkDays: []uint64{bit << 1, bit},
	}, whole, err)

	nobody, err := c.GetActivity(t.Context(), &activityv1.GetActivityRequest{Workspace: "w", AccountId: "b"})
	same(t, &activityv1.GetActivityResponse{}, nobody, err)
}

func TestActivityOfNoAccountOrNoSpanIsTheClientsMistake(t *testing.T) {
	c := filled(t)
	for want, r := range map[string]*activityv1.GetActivityRequest{
		"workspace is required":                            {AccountId: "a"},
		"account_id is required":                           {Workspace: "w"},
		"from_day is not a day such as 2026-11-01":         {Workspace: "w", AccountId: "a", FromDay: "2026-11-31"},
		"from_day is after to_day":                         {Workspace: "w", AccountId: "a", FromDay: "2026-11-02", ToDay: "2026-11-01"},
		"page_token is not one that this request returned": {Workspace: "w", AccountId: "a", PageToken: "none"},
	} {
		_, err := c.GetActivity(t.Context(), r)
		if s := status.Convert(err); s.Code() != codes.InvalidArgument || s.Message() != want {
			t.Errorf("%v: %v, want %q", r, err, want)
		}
	}
}
