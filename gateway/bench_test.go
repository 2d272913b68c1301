package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway"
)

// taker is three services that take everything after a while and keep nothing.
type taker struct {
	identityv1.UnimplementedIngestServiceServer

	commit time.Duration
	asked  atomic.Int64
}

func (s *taker) RecordCalls(_ context.Context, r *identityv1.RecordCallsRequest) (*identityv1.RecordCallsResponse, error) {
	s.asked.Add(1)
	time.Sleep(s.commit)
	results := make([]identityv1.CallResult, len(r.GetCalls()))
	resp := &identityv1.RecordCallsResponse{Results: make([]*identityv1.CallResult, len(results))}
	for i, c := range r.GetCalls() {
		results[i].Outcome, results[i].TimeMs = segmentv1.Outcome_OUTCOME_ACCEPTED, c.GetTimeMs()
		resp.Results[i] = &results[i]
	}
	return resp, nil
}

func (s *taker) take(calls []*segmentv1.Call) []*segmentv1.Result {
	time.Sleep(s.commit)
	accepted, results := &segmentv1.Result{Outcome: segmentv1.Outcome_OUTCOME_ACCEPTED}, make([]*segmentv1.Result, len(calls))
	for i := range results {
		results[i] = accepted
	}
	return results
}

type eventsTaker struct {
	eventsv1.UnimplementedIngestServiceServer
	*taker
}

func (s eventsTaker) RecordCalls(_ context.Context, r *eventsv1.RecordCallsRequest) (*eventsv1.RecordCallsResponse, error) {
	return &eventsv1.RecordCallsResponse{Results: s.take(r.GetCalls())}, nil
}

type sessionsTaker struct {
	sessionsv1.UnimplementedIngestServiceServer
	*taker
}

func (s sessionsTaker) RecordCalls(_ context.Context, r *sessionsv1.RecordCallsRequest) (*sessionsv1.RecordCallsResponse, error) {
	return &sessionsv1.RecordCallsResponse{Results: s.take(r.GetCalls())}, nil
}

// serveTaker serves one service, and returns a connection to it, both as in production.
func serveTaker(b *testing.B, directly bool, register func(grpc.ServiceRegistrar)) grpc.ClientConnInterface {
	b.Helper()
	server, err := rpc.NewServer(observe.Discard())
	if err != nil {
		b.Fatal(err)
	}
	register(server)
	pipe := rpc.NewPipe()
	c, err := pipe.Dial()
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.ServeUntil(ctx, ctx, pipe) }()
	b.Cleanup(func() {
		_ = c.Close()
		stop()
		if err := <-served; err != nil {
			b.Error(err)
		}
	})
	if directly {
		return server.Direct(c, identityv1.IngestService_RecordCalls_FullMethodName,
			eventsv1.IngestService_RecordCalls_FullMethodName, sessionsv1.IngestService_RecordCalls_FullMethodName)
	}
	return c
}

// BenchmarkCalls is all that a call costs but the HTTP server and the services' own work: reading, the door, the fanout, gRPC. It tells the
// processor time of a call, which other work on the machine disturbs least, and how many RPCs to identity it took.
func BenchmarkCalls(b *testing.B) {
	for _, c := range []struct {
		senders, batch int
		directly       bool // as within one process
	}{{1, 0, false}, {1, 0, true}, {64, 0, false}, {64, 0, true}, {256, 0, false}, {256, 0, true}, {8, 100, false}, {8, 100, true}} {
		name := fmt.Sprint(c.senders, " senders of single calls")
		if c.batch > 0 {
			name = fmt.Sprint(c.senders, " senders of batches of ", c.batch)
		}
		if c.directly {
			name += ", directly"
		}
		b.Run(name, func(b *testing.B) {
			s := &taker{commit: 300 * time.Microsecond}
			g, err := gateway.Open(b.Context(), gateway.Config{Workspaces: workspaces()}, gateway.Backends{
				Identity: serveTaker(b, c.directly, func(r grpc.ServiceRegistrar) { identityv1.RegisterIngestServiceServer(r, s) }),
				Events:   serveTaker(b, c.directly, func(r grpc.ServiceRegistrar) { eventsv1.RegisterIngestServiceServer(r, eventsTaker{taker: s}) }),
				Sessions: serveTaker(b, c.directly, func(r grpc.ServiceRegistrar) { sessionsv1.RegisterIngestServiceServer(r, sessionsTaker{taker: s}) }),
			}, observe.Discard())
			if err != nil {
				b.Fatal(err)
			}
			h, path, body, calls := g.Handler(), "/v1/track", []byte(benchCall), 1
			if c.batch > 0 {
				path, calls = "/v1/batch", c.batch
				body = []byte(`{"batch":[` + strings.TrimSuffix(strings.Repeat(benchCall+",", c.batch), ",") + `]}`)
			}
			b.SetParallelism(c.senders)
			b.ReportAllocs()
			before := processorTime(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, bytes.NewReader(body))
					r.SetBasicAuth(writeKey, "")
					w := httptest.NewRecorder()
					if h.ServeHTTP(w, r); w.Code != http.StatusOK {
						b.Errorf("answered %d %s", w.Code, w.Body)
						return
					}
				}
			})
			took, n := processorTime(b)-before, float64(b.N*calls)
			b.ReportMetric(float64(took.Nanoseconds())/n, "cpu-ns/call")
			b.ReportMetric(float64(s.asked.Load())/n, "rpcs/call")
		})
	}
}

// processorTime returns how much of it this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

const benchCall = `{"type":"track","event":"Report Exported","messageId":"ajs-next-1730462399000-0f8c6b1e-7d1c-4f55-a2f0-1c2d3e4f5a6b",` +
	`"anonymousId":"5b0c2d9e-6a1d-4b3d-9d5e-6a1d2f3b4c5d","userId":"user-4711","groupId":"account-42","originalTimestamp":"2026-11-01T11:59:59.000Z",` +
	`"timestamp":"2026-11-01T11:59:59.120Z","sentAt":"2026-11-01T11:59:59.300Z","properties":{"module":"Reports","plan":"Pro","revenue":"39.95",` +
	`"path":"/reports/monthly","title":"Monthly report"},"context":{"ip":"10.0.0.1","locale":"en-US","library":{"name":"analytics.js","version":` +
	`"next-1.70.0"},"userAgent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36","page":{"path":"/reports/monthly","url":` +
	`"https://app.example.com/reports/monthly"}},"integrations":{}}`
