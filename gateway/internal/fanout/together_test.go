package fanout_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/call"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// service is a connection to one that takes its time, and answers by what a call's messageId begins with.
type service struct {
	takes time.Duration
	fail  func(ids string) error

	mu    sync.Mutex
	asked []string // "workspace: ids" of each request, as they came
	until []time.Time
}

type request interface {
	GetWorkspace() string
	GetCalls() []*segmentv1.Call
}

func (s *service) Invoke(ctx context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	r := args.(request)
	ids := make([]string, 0, len(r.GetCalls()))
	for _, c := range r.GetCalls() {
		ids = append(ids, c.GetMessageId())
	}
	s.mu.Lock()
	s.asked = append(s.asked, r.GetWorkspace()+": "+strings.Join(ids, " "))
	until, _ := ctx.Deadline()
	s.until = append(s.until, until)
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
	if s.fail != nil {
		if err := s.fail(strings.Join(ids, " ")); err != nil {
			return err
		}
	}
	return s.answer(args, reply)
}

func (*service) answer(args, reply any) error {
	if r, ok := args.(*identityv1.RecordCallsRequest); ok {
		to := reply.(*identityv1.RecordCallsResponse)
		for _, c := range r.GetCalls() {
			to.Results = append(to.Results, &identityv1.CallResult{Outcome: identityOf(c.GetMessageId()), Message: "identity " + c.GetMessageId()})
		}
		for _, x := range r.GetRejections() {
			to.Rejections = append(to.Rejections, &identityv1.RejectionResult{Duplicate: repeated(x)})
		}
		return nil
	}
	m := others()
	for _, c := range args.(request).GetCalls() {
		outcome, message := segmentv1.Outcome_OUTCOME_ACCEPTED, ""
		if strings.HasPrefix(c.GetMessageId(), "refused") {
			outcome, message = segmentv1.Outcome_OUTCOME_INVALID, "other "+c.GetMessageId()
		}
		appendResult(m, outcome, message)
	}
	return m.Invoke(context.Background(), "", nil, reply)
}

func (*service) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	panic("no streams")
}

func identityOf(id string) segmentv1.Outcome {
	switch {
	case strings.HasPrefix(id, "copy"):
		return segmentv1.Outcome_OUTCOME_DUPLICATE
	case strings.HasPrefix(id, "conflict"):
		return segmentv1.Outcome_OUTCOME_CONFLICT
	case strings.HasPrefix(id, "invalid"):
		return segmentv1.Outcome_OUTCOME_INVALID
	}
	return segmentv1.Outcome_OUTCOME_ACCEPTED
}

// repeated says of half the rejections that they are, and of those of calls that were taken it looks at their messageId.
func repeated(x *identityv1.Rejection) bool {
	return strings.HasSuffix(x.GetMessage(), "again") || strings.HasSuffix(x.GetMessageId(), "again")
}

// batch is a request of those calls, of which some are filtered.
func batch(workspace string, ids ...string) fanout.Request {
	r := fanout.Request{Workspace: workspace, Source: "web", Received: time.Now()}
	for _, id := range ids {
		c := fanout.Call{Parsed: segment.Parsed{Call: call.Call{Type: call.Track, MessageID: id}}, Raw: []byte(`{}`)}
		if strings.HasPrefix(id, "filtered") {
			c.Filter("ignore[0]", "not wanted")
		}
		r.Calls = append(r.Calls, c)
	}
	return r
}

// serving returns a fanout over three services.
func serving(takes time.Duration) (f *fanout.Fanout, identity, events, sessions *service) {
	identity, events, sessions = &service{takes: takes}, &service{takes: takes}, &service{takes: takes}
	return fanout.New(identity, events, sessions), identity, events, sessions
}

// inTurn records requests that come one right after the other, and returns what they are answered with.
func inTurn(ctx context.Context, f *fanout.Fanout, requests ...fanout.Request) []error {
	errs := make([]error, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() { _, errs[i] = f.Record(ctx, r) })
		synctest.Wait()
	}
	all.Wait()
	return errs
}

func TestWhatComesWhileAWorkspaceIsServedIsServedAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, identity, events, sessions := serving(10 * time.Millisecond)
		errs := inTurn(t.Context(), f, batch("a", "1"), batch("a", "2"), batch("a", "3"), batch("b", "x"), batch("a", "4", "conflict", "5"),
			batch("b", "y"), batch("a", "6"))
		if diff := cmp.Diff(make([]error, 7), errs); diff != "" {
			t.Fatal(diff)
		}
		for s, joined := range map[*service]string{identity: "a: 2 3 4 conflict 5 6", events: "a: 2 3 4 5 6", sessions: "a: 2 3 4 5 6"} {
			slices.Sort(s.asked) // those of different workspaces come at the same time
			if diff := cmp.Diff([]string{"a: 1", joined, "b: x", "b: y"}, s.asked); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func TestManyCallsAreWrittenBesideWhatIsUnderWayAndFewAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, identity, _, _ := serving(10 * time.Millisecond)
		ones := func(n int) (ids []string) {
			for range n {
				ids = append(ids, "x")
			}
			return ids
		}
		var all sync.WaitGroup
		counts := func() (counts []int) {
			identity.mu.Lock()
			defer identity.mu.Unlock()
			for _, ids := range identity.asked {
				counts = append(counts, strings.Count(ids, " "))
			}
			return counts
		}
		for _, step := range []struct {
			calls int
			asked []int
		}{
			{1, []int{1}}, {60, []int{1}}, {39, []int{1}}, {1, []int{1, 100}}, // which is enough
			{100, []int{1, 100}}, // two are under way
		} {
			all.Go(func() { _, _ = f.Record(t.Context(), batch("a", ones(step.calls)...)) })
			synctest.Wait()
			if diff := cmp.Diff(step.asked, counts()); diff != "" {
				t.Fatal(diff)
			}
		}
		time.Sleep(20*time.Millisecond + 1) // until the first two are written
		if diff := cmp.Diff([]int{1, 100, 100}, counts()); diff != "" {
			t.Error(diff)
		}
		all.Wait()
	})
}

func TestEachRequestGetsItsOwnResultsWhateverItTravelsWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, identity, _, _ := serving(time.Millisecond)
		random := rand.New(rand.NewPCG(7, 1))
		kinds := []string{"new", "copy", "conflict", "invalid", "refused", "refused-again", "filtered"}
		var all sync.WaitGroup
		for n := range 500 {
			var ids []string
			for i := range random.IntN(5) {
				kind, again, _ := strings.Cut(kinds[random.IntN(len(kinds))], "-")
				ids = append(ids, fmt.Sprint(kind, " ", n, " ", i, " ", again))
			}
			r := batch("a", ids...)
			want := fanout.Recorded{Results: []fanout.Result{}}
			for _, id := range ids {
				want.Results = append(want.Results, resultOf(id))
			}
			for range random.IntN(3) {
				x := &segment.Rejection{}
				x.Message = []string{"once", "again"}[random.IntN(2)]
				r.Rejections = append(r.Rejections, x)
				want.Repeated = append(want.Repeated, x.Message == "again")
			}
			if len(ids) == 0 {
				want.Results = nil
			}
			wait := time.Duration(random.IntN(20)) * time.Millisecond
			all.Go(func() {
				time.Sleep(wait)
				got, err := f.Record(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				if len(got.Results) == 0 {
					got.Results = nil
				}
				if len(got.Repeated) == 0 {
					got.Repeated = nil
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
		all.Wait()
		if n := len(identity.asked); n > 200 {
			t.Errorf("identity was asked %d times about 500 requests", n)
		}
	})
}

func resultOf(id string) fanout.Result {
	if strings.HasPrefix(id, "filtered") {
		return fanout.Result{Outcome: call.Ignored}
	}
	r := fanout.Result{Outcome: call.Outcome(identityOf(id)), Message: "identity " + id}
	if strings.HasPrefix(id, "refused") {
		r = fanout.Result{Outcome: call.Invalid, Message: "other " + id, Repeated: strings.HasSuffix(id, "again")}
	}
	return r
}

func TestARequestDoesNotFailForWhatAnotherHolds(t *testing.T) {
	for name, fail := range map[string]func(ids string) error{
		"an error": func(ids string) error {
			if strings.Contains(ids, "poison") {
				return status.Error(codes.Internal, "choked")
			}
			return nil
		},
		"a panic": func(ids string) error {
			if strings.Contains(ids, "poison") {
				panic("choked")
			}
			return nil
		},
	} {
		for _, at := range []int{0, 1, 2} {
			synctest.Test(t, func(t *testing.T) {
				f, identity, events, sessions := serving(10 * time.Millisecond)
				[]*service{identity, events, sessions}[at].fail = fail
				var failed int
				var all sync.WaitGroup
				for _, id := range []string{"1", "2", "3", "poison", "4"} {
					all.Go(func() {
						defer func() {
							if recover() != nil {
								failed++
							}
						}()
						if _, err := f.Record(t.Context(), batch("a", id)); (err != nil) != (id == "poison") {
							t.Errorf("%s at %d: %s: %v", name, at, id, err)
						} else if err != nil {
							failed++
						}
					})
					synctest.Wait()
				}
				all.Wait()
				if failed != 1 {
					t.Errorf("%s at %d: %d failed", name, at, failed)
				}
			})
		}
	}
}

func TestWhatAServiceCannotTakeNowIsNotSentAgainOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, identity, _, _ := serving(10 * time.Millisecond)
		identity.fail = func(string) error { return status.Error(codes.Unavailable, "away") }
		for i, err := range inTurn(t.Context(), f, batch("a", "1"), batch("a", "2"), batch("a", "3"), batch("a", "4")) {
			if status.Code(err) != codes.Unavailable {
				t.Errorf("%d: %v", i, err)
			}
		}
		if len(identity.asked) != 2 {
			t.Errorf("asked %q", identity.asked)
		}
	})
}

func TestEachRequestLeavesAtItsOwnDeadlineAndTheLastOneCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, identity, _, _ := serving(50 * time.Millisecond)
		began := time.Now()
		var all sync.WaitGroup
		for i, c := range []struct{ within, after time.Duration }{
			{time.Second, 100 * time.Millisecond},          // which the others have to wait for
			{75 * time.Millisecond, 75 * time.Millisecond}, // while it waits
			{120 * time.Millisecond, 120 * time.Millisecond}, {time.Second, 200 * time.Millisecond}, {time.Hour, 200 * time.Millisecond},
		} {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), c.within)
				defer cancel()
				_, err := f.Record(ctx, batch("a", fmt.Sprint(i)))
				if took := time.Since(began); took != c.after || (err != nil) != (c.within == c.after) {
					t.Errorf("%d: after %v, %v", i, took, err)
				}
				if err != nil && status.Code(err) != codes.DeadlineExceeded {
					t.Errorf("%d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if diff := cmp.Diff([]string{"a: 0", "a: 2 3 4"}, identity.asked); diff != "" {
			t.Error(diff)
		}
		if got := identity.until[len(identity.until)-1]; !got.Equal(began.Add(time.Hour)) {
			t.Errorf("until %v", got.Sub(began))
		}
	})
}

func TestWhatIsTooMuchForOneMessageGoesInSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, identity, _, _ := serving(10 * time.Millisecond)
		many := make([]string, 6_000)
		for i := range many {
			many[i] = "x"
		}
		inTurn(t.Context(), f, batch("a", "1"), batch("a", many[:100]...), batch("a", many...), batch("a", many...), batch("a", "3"))
		var got []int
		for _, ids := range identity.asked {
			got = append(got, strings.Count(ids, " "))
		}
		slices.Sort(got) // the two long ones go at the same time
		if diff := cmp.Diff([]int{1, 100, 6_000, 6_001}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSlowServicesAreAskedAgainBesideWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, _, _ := serving(time.Second)
		began := time.Now()
		inTurn(t.Context(), f, batch("a", "1"), batch("a", "2"), batch("a", "3"), batch("a", "4"))
		if took := time.Since(began); took < 2*time.Second || took > 2200*time.Millisecond {
			t.Errorf("all were answered after %v", took)
		}
	})
}

// span is one of a request, that notes what it is linked to.
type span struct {
	noop.Span

	id    byte
	links *[]string
}

func (span) IsRecording() bool { return true }

func (s span) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{s.id}, SpanID: trace.SpanID{s.id}})
}

func (s span) AddLink(l trace.Link) {
	*s.links = append(*s.links, fmt.Sprint(s.id, " to ", l.SpanContext.TraceID()[0]))
}

func TestTheTracesOfRequestsLeadToThatWhichShowsTheirRPCs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, _, _ := serving(10 * time.Millisecond)
		var links []string
		var all sync.WaitGroup
		for id := range byte(5) {
			ctx := trace.ContextWithSpan(t.Context(), span{id: id + 1, links: &links})
			all.Go(func() { _, _ = f.Record(ctx, batch("a", fmt.Sprint(id))) })
			synctest.Wait()
		}
		all.Wait()
		if diff := cmp.Diff([]string{"3 to 2", "4 to 2", "5 to 2"}, links); diff != "" {
			t.Error(diff)
		}
	})
}

func TestADeletionKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, identity, events, _ := serving(10 * time.Millisecond)
		events.fail = func(ids string) error {
			if strings.Contains(ids, "delete") {
				time.Sleep(3 * time.Second)
			}
			return nil
		}
		deletion := batch("a", "delete")
		deletion.Calls[0].Call.Type = call.Delete
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { _, _ = f.Record(t.Context(), deletion) })
		}
		synctest.Wait()
		began := time.Now()
		inTurn(t.Context(), f, batch("a", "1"), batch("a", "2"), batch("a", "3"))
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("answered after %v", took)
		}
		all.Wait()
		if len(identity.asked) != 5 {
			t.Errorf("asked %q", identity.asked)
		}
	})
}
