package fanout_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/domain/call"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// replies is a connection to a service that says the same to everything, whatever it was asked: no real one breaks its contract.
type replies struct {
	message proto.Message
	err     error
}

func (r replies) Invoke(_ context.Context, _ string, _, reply any, _ ...grpc.CallOption) error {
	if r.err == nil {
		// The replies of events and sessions look the same on the wire.
		text, err := proto.Marshal(r.message)
		if err != nil {
			return err
		}
		return proto.Unmarshal(text, reply.(proto.Message))
	}
	return r.err
}

func (replies) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("no streams")
}

func identitySays(outcomes ...segmentv1.Outcome) replies {
	m := &identityv1.RecordCallsResponse{}
	for _, o := range outcomes {
		m.Results = append(m.Results, &identityv1.CallResult{Outcome: o})
	}
	return replies{message: m}
}

// rejecting is an answer that has a result for a rejection, where there was none.
func rejecting(r replies) replies {
	m := r.message.(*identityv1.RecordCallsResponse)
	m.Rejections = append(m.Rejections, &identityv1.RejectionResult{})
	return r
}

func others(outcomes ...segmentv1.Outcome) replies {
	m := &eventsv1.RecordCallsResponse{}
	for _, o := range outcomes {
		m.Results = append(m.Results, &segmentv1.Result{Outcome: o})
	}
	return replies{message: m}
}

// appendResult adds a result to an answer of events or sessions.
func appendResult(r replies, outcome segmentv1.Outcome, message string) {
	m := r.message.(*eventsv1.RecordCallsResponse)
	m.Results = append(m.Results, &segmentv1.Result{Outcome: outcome, Message: message})
}

func TestAServiceThatBreaksItsContractIsAnErrorAndNeverASuccess(t *testing.T) {
	const accepted = segmentv1.Outcome_OUTCOME_ACCEPTED
	good := identitySays(accepted, accepted)
	for name, c := range map[string]struct{ identity, events, sessions replies }{
		"identity answers too few":    {identitySays(accepted), others(accepted, accepted), others(accepted, accepted)},
		"identity answers too many":   {identitySays(accepted, accepted, accepted), others(accepted, accepted), others(accepted, accepted)},
		"identity says nothing":       {identitySays(accepted, 0), others(accepted, accepted), others(accepted, accepted)},
		"identity ignores":            {identitySays(accepted, segmentv1.Outcome_OUTCOME_IGNORED), others(accepted), others(accepted)},
		"identity says something new": {identitySays(accepted, 99), others(accepted), others(accepted)},
		"identity rejects too much":   {rejecting(identitySays(accepted, accepted)), others(accepted, accepted), others(accepted, accepted)},
		"events answers too few":      {good, others(accepted), others(accepted, accepted)},
		"events says nothing":         {good, others(accepted, 0), others(accepted, accepted)},
		"sessions answers too many":   {good, others(accepted, accepted), others(accepted, accepted, accepted)},
		"sessions says nothing":       {good, others(accepted, accepted), others(0, accepted)},
	} {
		results, err := fanout.New(c.identity, c.events, c.sessions).Record(t.Context(), fanout.Request{Calls: make([]fanout.Call, 2)})
		if err == nil {
			t.Errorf("%s: no error, results %v", name, results)
		}
	}
}

func TestTheErrorOfAServiceKeepsItsStatus(t *testing.T) {
	away := replies{err: status.Error(codes.Unavailable, "away")}
	good, stored := identitySays(segmentv1.Outcome_OUTCOME_ACCEPTED), others(segmentv1.Outcome_OUTCOME_IGNORED)
	for name, f := range map[string]*fanout.Fanout{
		"identity": fanout.New(away, stored, stored), "events": fanout.New(good, away, stored), "sessions": fanout.New(good, stored, away),
	} {
		_, err := f.Record(t.Context(), fanout.Request{Calls: make([]fanout.Call, 1)})
		if status.Code(err) != codes.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEventsAndSessionsAreNotAskedAboutNothing(t *testing.T) {
	broken := replies{err: errors.New("asked")}
	for _, identity := range []replies{identitySays(), identitySays(segmentv1.Outcome_OUTCOME_CONFLICT)} {
		n := len(identity.message.(*identityv1.RecordCallsResponse).GetResults())
		if _, err := fanout.New(identity, broken, broken).Record(t.Context(), fanout.Request{Calls: make([]fanout.Call, n)}); err != nil {
			t.Errorf("%d calls: %v", n, err)
		}
	}
}

// counting answers as identity does, and notes how many calls and rejections each request holds.
type counting struct {
	replies

	asked *[][2]int
	bytes *int
}

func (c counting) Invoke(_ context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	r, to := args.(*identityv1.RecordCallsRequest), reply.(*identityv1.RecordCallsResponse)
	*c.asked = append(*c.asked, [2]int{len(r.GetCalls()), len(r.GetRejections())})
	*c.bytes = max(*c.bytes, proto.Size(r))
	for _, m := range r.GetCalls() {
		outcome := segmentv1.Outcome_OUTCOME_CONFLICT
		if m.GetMessageId() == "5" {
			outcome = segmentv1.Outcome_OUTCOME_INVALID
		}
		to.Results = append(to.Results, &identityv1.CallResult{Outcome: outcome})
	}
	for range r.GetRejections() {
		to.Rejections = append(to.Rejections, &identityv1.RejectionResult{Duplicate: true})
	}
	return nil
}

func TestWhatIsTooLongForOneMessageIsSentInParts(t *testing.T) {
	var asked [][2]int
	var bytes int
	f := fanout.New(counting{asked: &asked, bytes: &bytes}, replies{}, replies{})
	r := fanout.Request{Rejections: []*segment.Rejection{{}, {}}}
	for i := range 8 {
		c := fanout.Call{Parsed: segment.Parsed{Call: call.Call{MessageID: strconv.Itoa(i)}}}
		for range 10 {
			c.Call.Traits = append(c.Call.Traits, call.Trait{Path: strings.Repeat("k", 500_000)})
		}
		r.Calls = append(r.Calls, c)
	}
	recorded, err := f.Record(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][2]int{{3, 0}, {3, 0}, {2, 2}}, asked); diff != "" {
		t.Error(diff)
	}
	if bytes > 17<<20 {
		t.Errorf("a message of %d bytes", bytes)
	}
	if len(recorded.Results) != 8 || recorded.Results[5].Outcome != call.Invalid || len(recorded.Repeated) != 2 || !recorded.Repeated[1] {
		t.Errorf("%+v", recorded)
	}
	asked = nil
	if _, err := f.Record(t.Context(), fanout.Request{Rejections: r.Rejections}); err != nil || len(asked) != 1 {
		t.Errorf("without calls: %v, asked %v", err, asked)
	}
}
