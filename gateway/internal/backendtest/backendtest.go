// Package backendtest stands in for the three services in tests: over real gRPC, with a ledger like identity's, and able to fail on
// demand.
package backendtest

import (
	"context"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// Backend is three services, and a connection to each.
type Backend struct {
	Identity, Events, Sessions *Service
}

// Service is one service: what it was asked, and what it is told to do.
type Service struct {
	// Conn is a connection to it, of the kind that is used in production.
	Conn grpc.ClientConnInterface
	// SetReady says over gRPC health whether it serves.
	SetReady func(bool)

	mu       sync.Mutex
	fail     func(ctx context.Context) error
	outcome  segmentv1.Outcome
	requests []proto.Message
	ledger   map[string]*segmentv1.Call
	rejected map[string]bool
}

// Start starts the services until the test ends.
func Start(t testing.TB) *Backend {
	t.Helper()
	b := &Backend{Identity: &Service{}, Events: &Service{}, Sessions: &Service{}}
	b.Identity.serve(t, func(r grpc.ServiceRegistrar) {
		identityv1.RegisterIngestServiceServer(r, identity{service: b.Identity})
	})
	b.Events.serve(t, func(r grpc.ServiceRegistrar) { eventsv1.RegisterIngestServiceServer(r, events{service: b.Events}) })
	b.Sessions.serve(t, func(r grpc.ServiceRegistrar) {
		sessionsv1.RegisterIngestServiceServer(r, sessions{service: b.Sessions})
		sessionsv1.RegisterQueryServiceServer(r, watched{})
	})
	return b
}

func (s *Service) serve(t testing.TB, register func(grpc.ServiceRegistrar)) {
	t.Helper()
	server, err := rpc.NewServer(observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	register(server)
	pipe := rpc.NewPipe()
	conn, err := pipe.Dial()
	if err != nil {
		t.Fatal(err)
	}
	s.Conn, s.SetReady = conn, server.SetReady
	s.ledger, s.rejected = map[string]*segmentv1.Call{}, map[string]bool{}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(pipe) // it ends with the test
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		<-served
	})
}

// Fail makes every further request fail with what fail returns; nil from it lets the request through, nil for it all.
func (s *Service) Fail(fail func(ctx context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// Answer makes every further call have that outcome; 0 what its ledger says.
func (s *Service) Answer(o segmentv1.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcome = o
}

// Requests returns the requests that came, failed ones included, in order.
func (s *Service) Requests() []proto.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]proto.Message(nil), s.requests...)
}

// Calls returns the calls of all requests, failed ones included, in order.
func (s *Service) Calls() []*segmentv1.Call {
	var calls []*segmentv1.Call
	for _, r := range s.Requests() {
		calls = append(calls, r.(interface{ GetCalls() []*segmentv1.Call }).GetCalls()...)
	}
	return calls
}

// enter notes a request and returns what it is to fail with.
func (s *Service) enter(ctx context.Context, request proto.Message) error {
	s.mu.Lock()
	s.requests = append(s.requests, proto.Clone(request))
	fail := s.fail
	s.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(ctx)
}

// settle enters a call into the ledger and returns its outcome and its first copy.
func (s *Service) settle(workspace string, c *segmentv1.Call) (segmentv1.Outcome, *segmentv1.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := proto.MarshalOptions{Deterministic: true}.Marshal(&segmentv1.Call{
		Source: workspace, MessageId: c.GetMessageId(), OriginalTimeMs: c.GetOriginalTimeMs(),
	})
	if err != nil {
		panic(err)
	}
	outcome := segmentv1.Outcome_OUTCOME_DUPLICATE
	first, known := s.ledger[string(key)]
	if !known {
		outcome, first = segmentv1.Outcome_OUTCOME_ACCEPTED, c
		s.ledger[string(key)] = c
	}
	if s.outcome != 0 {
		outcome = s.outcome
	}
	return outcome, first
}

// reject notes a rejection and says whether it was noted before.
func (s *Service) reject(workspace string, r *identityv1.Rejection) (repeated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := workspace + "\x00" + r.GetSource() + "\x00" + string(r.GetFingerprint())
	repeated = s.rejected[key]
	s.rejected[key] = true
	return repeated
}

// Rejections returns the rejections of all requests, failed ones included, in order.
func (s *Service) Rejections() []*identityv1.Rejection {
	var rejections []*identityv1.Rejection
	for _, r := range s.Requests() {
		rejections = append(rejections, r.(*identityv1.RecordCallsRequest).GetRejections()...)
	}
	return rejections
}
