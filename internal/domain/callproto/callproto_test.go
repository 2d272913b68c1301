package callproto_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
)

func TestTheNumbersOfCallTypesAreTheSameInBothForms(t *testing.T) {
	for number, name := range segmentv1.CallType_name {
		want := strings.ToLower(strings.TrimPrefix(name, "CALL_TYPE_"))
		if want == "unspecified" {
			want = ""
		}
		if got := call.Type(number).String(); got != want {
			t.Errorf("type %d is %q, want %q", number, got, want)
		}
	}
}

func TestACallComesBackAsItWas(t *testing.T) {
	want := call.Call{
		Type: call.Group, MessageID: "m", OriginalMS: 1, TimeMS: 2, AnonymousID: "a", UserID: "u", AccountID: "g", Module: "mo",
		Feature: "f", PreviousID: "p", Source: "s", Sent: 7, Inactive: true, Traits: []call.Trait{
			{Path: "n", Value: call.Value{Kind: call.Null}},
			{Path: "s", Value: call.Value{Kind: call.String, Text: "x"}},
			{Path: "d", Value: call.Value{Kind: call.Number, Text: "1.10"}},
			{Path: "t", Value: call.Value{Kind: call.Bool, Text: "true"}},
			{Path: "f", Value: call.Value{Kind: call.Bool, Text: "false"}},
			{Path: "j", Value: call.Value{Kind: call.JSON, Text: "[1]"}},
		},
	}
	if diff := cmp.Diff(want, callproto.Call(callproto.FromCall(&want))); diff != "" {
		t.Error(diff)
	}
}

func TestTheNumbersOfOutcomesAreTheSameInBothForms(t *testing.T) {
	for want, got := range map[segmentv1.Outcome]call.Outcome{
		segmentv1.Outcome_OUTCOME_ACCEPTED:  call.Accepted,
		segmentv1.Outcome_OUTCOME_DUPLICATE: call.Duplicate,
		segmentv1.Outcome_OUTCOME_IGNORED:   call.Ignored,
		segmentv1.Outcome_OUTCOME_INVALID:   call.Invalid,
		segmentv1.Outcome_OUTCOME_CONFLICT:  call.Conflict,
	} {
		if segmentv1.Outcome(got) != want {
			t.Errorf("outcome %d, want %d", got, want)
		}
	}
}

func TestAnInvalidCallCostsOnlyItself(t *testing.T) {
	good := &segmentv1.Call{Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: "m"}
	b, err := callproto.NewBatch("w", []*segmentv1.Call{{}, good, {Type: segmentv1.CallType_CALL_TYPE_PAGE}, good})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range b.Results([]call.Outcome{call.Accepted, call.Duplicate}) {
		got = append(got, r.GetOutcome().String()+" "+r.GetMessage())
	}
	want := []string{"OUTCOME_INVALID type is not set", "OUTCOME_ACCEPTED ", "OUTCOME_INVALID message_id is required", "OUTCOME_DUPLICATE "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := callproto.NewBatch("", nil); err == nil {
		t.Error("no workspace: no error")
	}
}
