// Package fanout hands the calls of a request to the three services.
//
// Identity comes first: its ledger decides which calls are new, which are copies, and with what event time each counts. Then events and
// sessions take the same calls side by side. Should one of them refuse a call, as may be while versions differ, identity is told to count
// it as rejected. Every write is idempotent, so when one service fails, the whole request fails, and the
// sender's next attempt completes what this one began.
//
// What a workspace sends at the same time travels together (together.go): the services are asked about many requests at once, and each is
// answered as if it had been alone.
package fanout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// Fanout writes to the services. Use New.
type Fanout struct {
	identity identityv1.IngestServiceClient
	events   eventsv1.IngestServiceClient
	sessions sessionsv1.IngestServiceClient
	together *together
}

// New returns a fanout over connections to the services, which stay the caller's.
func New(identity, events, sessions grpc.ClientConnInterface) *Fanout {
	f := &Fanout{
		identity: identityv1.NewIngestServiceClient(identity),
		events:   eventsv1.NewIngestServiceClient(events),
		sessions: sessionsv1.NewIngestServiceClient(sessions),
	}
	f.together = &together{write: f.write, lines: map[string]*line{}}
	return f
}

// Request is what one HTTP request brought: calls, and what had to be refused, which is counted and kept to be looked at.
type Request struct {
	Workspace, Source string
	// Received is when it came.
	Received   time.Time
	Calls      []Call
	Rejections []*segment.Rejection
}

// Call is a call, as it was understood and as it was sent. One that is filtered goes to identity alone, to be counted.
type Call struct {
	segment.Parsed

	Raw []byte
}

// Recorded is what became of a request.
type Recorded struct {
	// Results has one for each call.
	Results []Result
	// Repeated says for each rejection whether the same was rejected before: it is a duplicate.
	Repeated []bool
}

// Result says what became of one call.
type Result struct {
	// Outcome is Accepted, Duplicate, Conflict or Invalid, or, for a filtered call, Ignored.
	Outcome call.Outcome
	// Message says for Invalid what to fix.
	Message string
	// Repeated says for Invalid whether it was so before: it is a duplicate.
	Repeated bool
}

// write writes the parts of requests of one workspace as one, and notes in each what became of it.
func (f *Fanout) write(ctx context.Context, parts []*part) error {
	request := toIdentity(parts)
	resp, err := f.identity.RecordCalls(ctx, request)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	results, times, err := identityResults(parts, resp.GetResults(), len(request.GetCalls()))
	if err != nil {
		return err
	}
	repeated, err := repeatedOf(resp, len(request.GetRejections()))
	if err != nil {
		return err
	}
	forward, index := toOthers(parts, results, times)
	refused := map[int]string{} // by index among all
	if err := f.forward(ctx, request.GetWorkspace(), forward, func(i int, message string) { refused[index[i]] = message }); err != nil {
		return err
	}
	if err := f.refuse(ctx, parts, refused, results); err != nil {
		return err
	}
	settle(parts, results, repeated)
	return nil
}

// toOthers returns what events and sessions are told of the calls that identity took, and of each its index among all. They are messages of
// their own: identity may still show its own to those who look on.
func toOthers(parts []*part, results []Result, times []int64) (calls []*segmentv1.Call, index []int) {
	memory := make([]segmentv1.Call, len(results))
	calls, index = make([]*segmentv1.Call, 0, len(results)), make([]int, 0, len(results))
	i := 0
	for _, p := range parts {
		for k := range p.request.Calls {
			if results[i].Outcome == call.Accepted || results[i].Outcome == call.Duplicate {
				callproto.FillWithoutTraits(&memory[i], &p.request.Calls[k].Call)
				// A copy may come with another receipt, and so another corrected time; the first copy's counts for all.
				memory[i].TimeMs = times[i]
				calls, index = append(calls, &memory[i]), append(index, i)
			}
			i++
		}
	}
	return calls, index
}

// settle notes in each part what became of it.
func settle(parts []*part, results []Result, repeated []bool) {
	for _, p := range parts {
		calls, rejections := len(p.request.Calls), len(p.request.Rejections)
		p.recorded = Recorded{results[:calls:calls], repeated[:rejections:rejections]}
		results, repeated = results[calls:], repeated[rejections:]
	}
}

// identityResults returns the results of the calls of all parts and their event times. Identity answers those that are not filtered.
func identityResults(parts []*part, answers []*identityv1.CallResult, want int) (results []Result, times []int64, err error) {
	if len(answers) != want {
		return nil, nil, fmt.Errorf("identity: %d results for %d calls", len(answers), want)
	}
	for _, p := range parts {
		for i := range p.request.Calls {
			if p.request.Calls[i].Filtered() {
				results, times = append(results, Result{Outcome: call.Ignored}), append(times, 0)
				continue
			}
			result, err := identityResult(answers[0])
			if err != nil {
				return nil, nil, err
			}
			results, times = append(results, result), append(times, answers[0].GetTimeMs())
			answers = answers[1:]
		}
	}
	return results, times, nil
}

func identityResult(a *identityv1.CallResult) (Result, error) {
	switch outcome := call.Outcome(a.GetOutcome()); outcome {
	case call.Accepted, call.Duplicate, call.Conflict, call.Invalid:
		return Result{Outcome: outcome, Message: a.GetMessage()}, nil
	case call.Ignored:
		return Result{}, errors.New("identity: ignored a call")
	default:
		return Result{}, fmt.Errorf("identity: unknown outcome %d", outcome)
	}
}

// forward writes calls to events and sessions at once. It calls refuse, with the index and what to fix, for each that either found invalid.
func (f *Fanout) forward(ctx context.Context, workspace string, calls []*segmentv1.Call, refuse func(int, string)) error {
	if len(calls) == 0 {
		return nil
	}
	var fromEvents, fromSessions []*segmentv1.Result
	together, ctx := group.WithContext(ctx)
	together.Go(func() error {
		resp, err := f.events.RecordCalls(ctx, &eventsv1.RecordCallsRequest{Workspace: workspace, Calls: calls})
		fromEvents = resp.GetResults()
		return check("events", len(fromEvents), len(calls), err)
	})
	together.Go(func() error {
		resp, err := f.sessions.RecordCalls(ctx, &sessionsv1.RecordCallsRequest{Workspace: workspace, Calls: calls})
		fromSessions = resp.GetResults()
		return check("sessions", len(fromSessions), len(calls), err)
	})
	if err := together.Wait(); err != nil {
		return err
	}
	for _, results := range [][]*segmentv1.Result{fromEvents, fromSessions} {
		for i, r := range results {
			switch r.GetOutcome() {
			case segmentv1.Outcome_OUTCOME_UNSPECIFIED:
				return fmt.Errorf("call %d: no outcome", i)
			case segmentv1.Outcome_OUTCOME_INVALID:
				refuse(i, r.GetMessage())
			case segmentv1.Outcome_OUTCOME_ACCEPTED, segmentv1.Outcome_OUTCOME_DUPLICATE,
				segmentv1.Outcome_OUTCOME_IGNORED, segmentv1.Outcome_OUTCOME_CONFLICT:
			}
		}
	}
	return nil
}

func check(service string, got, want int, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", service, err)
	case got != want:
		return fmt.Errorf("%s: %d results for %d calls", service, got, want)
	}
	return nil
}
