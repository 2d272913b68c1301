package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

const theMethod = "/test.Service/Call"

// counted is a wire that counts what takes it.
type counted struct {
	grpc.ClientConnInterface

	calls *atomic.Int64
}

func (c counted) Invoke(ctx context.Context, method string, args, reply any, o ...grpc.CallOption) error {
	c.calls.Add(1)
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, o...)
}

// serveDirectly serves h, and returns a direct connection, how much takes the wire, what counts the calls, and what stops the server.
func serveDirectly(t *testing.T, log *bytes.Buffer, h handler) (grpc.ClientConnInterface, *atomic.Int64, *prometheus.Registry, func()) {
	t.Helper()
	metrics := prometheus.NewRegistry()
	server, err := rpc.NewServer(observe.Deps{Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: metrics})
	if err != nil {
		t.Fatal(err)
	}
	h.register(server)
	pipe := rpc.NewPipe()
	wire, err := pipe.Dial()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.ServeUntil(ctx, context.Background(), pipe) }()
	over := &atomic.Int64{}
	return server.Direct(counted{wire, over}, theMethod), over, metrics, func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		_ = wire.Close()
	}
}

func invoke(ctx context.Context, conn grpc.ClientConnInterface) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return conn.Invoke(ctx, theMethod, &emptypb.Empty{}, &emptypb.Empty{})
}

func TestADirectCallEndsAsOneOverTheWire(t *testing.T) {
	for name, h := range map[string]handler{
		"well":               func(context.Context) error { return nil },
		"with a status":      func(context.Context) error { return status.Error(codes.NotFound, "no such thing") },
		"with another error": func(context.Context) error { return errors.New("secret of acme") },
		"with a panic":       func(context.Context) error { panic("secret of acme") },
		"cancelled inside":   func(context.Context) error { return context.Canceled },
	} {
		var directLog, wireLog bytes.Buffer
		conn, over, metrics, stop := serveDirectly(t, &directLog, h)
		got := status.Convert(invoke(t.Context(), conn))
		stop()
		wire, stop := serve(t, &wireLog, h)
		want := status.Convert(invoke(t.Context(), wire))
		stop()
		if got.Code() != want.Code() || got.Message() != want.Message() {
			t.Errorf("%s: %v, over the wire %v", name, got, want)
		}
		if n := over.Load(); n != 0 {
			t.Errorf("%s: %d took the wire", name, n)
		}
		if got, want := strings.Count(directLog.String(), "\n"), strings.Count(wireLog.String(), "\n"); got != want {
			t.Errorf("%s: logged %d lines, over the wire %d: %s", name, got, want, &directLog)
		}
		if !handled(t, metrics) {
			t.Errorf("%s: it is not counted", name)
		}
	}
}

// handled says whether a server counted one call of the method.
func handled(t *testing.T, metrics *prometheus.Registry) bool {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0.0
	for _, family := range families {
		if family.GetName() == "grpc_server_handled_total" {
			for _, m := range family.GetMetric() {
				n += m.GetCounter().GetValue()
			}
		}
	}
	return n == 1
}

func TestADirectCallHasTheRequestIDAndNothingElseOfItsCaller(t *testing.T) {
	const id = "0af7651916cd43dd8448eb211c80319c"
	var got string
	var incoming, outgoing metadata.MD
	conn, _, _, stop := serveDirectly(t, &bytes.Buffer{}, func(ctx context.Context) error {
		got = observe.RequestID(ctx)
		incoming, _ = metadata.FromIncomingContext(ctx)
		outgoing, _ = metadata.FromOutgoingContext(ctx)
		return nil
	})
	defer stop()
	ctx, _ := observe.WithRequestID(t.Context(), id)
	ctx = metadata.NewIncomingContext(metadata.AppendToOutgoingContext(ctx, "a", "b"), metadata.Pairs("c", "d"))
	if err := invoke(ctx, conn); err != nil {
		t.Fatal(err)
	}
	if got != id || len(incoming) != 1 || len(outgoing) != 0 {
		t.Errorf("id %q, incoming %v, outgoing %v", got, incoming, outgoing)
	}
}

func TestADirectCallWaitsNoLongerThanItMayAndTheServerForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		conn, _, _, stop := serveDirectly(t, &bytes.Buffer{}, func(context.Context) error {
			<-end // whatever the caller thinks of it
			return nil
		})
		began := time.Now()
		if err := invoke(t.Context(), conn); status.Code(err) != codes.DeadlineExceeded || time.Since(began) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		stopped := make(chan struct{})
		go func() { defer close(stopped); stop() }()
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("the server did not wait for a call under way")
		default:
		}
		close(end)
		<-stopped
	})
}

func TestWhatIsUnavailableDirectlyIsTriedAgain(t *testing.T) {
	tries := 0
	conn, over, _, stop := serveDirectly(t, &bytes.Buffer{}, func(context.Context) error {
		if tries++; tries < 3 {
			return status.Error(codes.Unavailable, "not now")
		}
		return nil
	})
	defer stop()
	if err := invoke(t.Context(), conn); err != nil || tries != 3 || over.Load() != 1 {
		t.Errorf("%v after %d tries, %d over the wire", err, tries, over.Load())
	}
}

func TestWhatIsNotNamedTakesTheWire(t *testing.T) {
	conn, over, _, stop := serveDirectly(t, &bytes.Buffer{}, func(context.Context) error { return nil })
	defer stop()
	resp, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || resp.GetStatus() != healthpb.HealthCheckResponse_SERVING || over.Load() != 1 {
		t.Errorf("%v, %v, %d over the wire", resp, err, over.Load())
	}
}
