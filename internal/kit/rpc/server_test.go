package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/page"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

// handler answers the one method of a service made for these tests.
type handler func(ctx context.Context) error

func (h handler) register(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Service",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Call",
			Handler: func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
				request := &emptypb.Empty{}
				if err := decode(request); err != nil {
					return nil, err
				}
				return intercept(ctx, request, &grpc.UnaryServerInfo{FullMethod: "/test.Service/Call"}, func(ctx context.Context, _ any) (any, error) {
					return &emptypb.Empty{}, h(ctx)
				})
			},
		}},
	}, h)
}

// service is what is served.
type service interface{ register(grpc.ServiceRegistrar) }

// serve serves s, and returns a connection to it and a function that stops it.
func serve(t *testing.T, log *bytes.Buffer, s service) (*grpc.ClientConn, func()) {
	t.Helper()
	pipe, stop := serveOnPipe(t, log, s)
	conn, err := pipe.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, stop
}

func serveOnPipe(t *testing.T, log *bytes.Buffer, s service) (rpc.Pipe, func()) {
	t.Helper()
	server, err := rpc.NewServer(observe.Deps{Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	s.register(server)
	pipe := rpc.NewPipe()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.ServeUntil(ctx, context.Background(), pipe) }()
	return pipe, func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}

func call(conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return conn.Invoke(ctx, "/test.Service/Call", &emptypb.Empty{}, &emptypb.Empty{})
}

func TestWhatGoesWrongInsideStaysInside(t *testing.T) {
	for name, c := range map[string]struct {
		h      handler
		want   *status.Status
		logged string
	}{
		"a status passes":        {func(context.Context) error { return status.Error(codes.NotFound, "no such thing") }, status.New(codes.NotFound, "no such thing"), ""},
		"another error does not": {func(context.Context) error { return errors.New("secret of acme") }, status.New(codes.Internal, "internal error"), "rpc failed"},
		"nor does a panic":       {func(context.Context) error { panic("secret of acme") }, status.New(codes.Internal, "internal error"), "rpc panicked"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			conn, stop := serve(t, &log, c.h)
			got := status.Convert(call(conn))
			stop()
			if got.Code() != c.want.Code() || got.Message() != c.want.Message() {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if c.logged == "rpc panicked" && strings.Contains(log.String(), "acme") {
				t.Errorf("the log shows what the panic was about:\n%s", log.String())
			}
			if !strings.Contains(log.String(), c.logged) {
				t.Errorf("log lacks %q:\n%s", c.logged, log.String())
			}
		})
	}
}

func TestACallThatFindsTheServiceAwayIsTriedAgain(t *testing.T) {
	tries := 0
	var log bytes.Buffer
	conn, stop := serve(t, &log, handler(func(context.Context) error {
		if tries++; tries < 3 {
			return status.Error(codes.Unavailable, "not now")
		}
		return nil
	}))
	defer stop()
	if err := call(conn); err != nil || tries != 3 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

func TestALongMessageIsTriedAgainToo(t *testing.T) {
	tries := 0
	conn, stop := serve(t, &bytes.Buffer{}, handler(func(context.Context) error {
		if tries++; tries < 3 {
			return status.Error(codes.Unavailable, "not now")
		}
		return nil
	}))
	defer stop()
	long := &emptypb.Empty{}
	long.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), make([]byte, 16<<20)))
	if err := conn.Invoke(t.Context(), "/test.Service/Call", long, &emptypb.Empty{}); err != nil || tries != 3 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

func TestACallWhoseConnectionBreaksIsMadeAgainOverAnother(t *testing.T) {
	var calls atomic.Int32
	connections := make(chan net.Conn, 10)
	pipe, stop := serveOnPipe(t, &bytes.Buffer{}, handler(func(ctx context.Context) error {
		if calls.Add(1) == 1 {
			_ = (<-connections).Close() // with the call under way
			<-ctx.Done()
		}
		return nil
	}))
	defer stop()
	conn, err := rpc.Dial("passthrough:///pipe", grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		c, err := pipe.DialContext(ctx)
		if err == nil {
			connections <- c
		}
		return c, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Invoke(t.Context(), "/test.Service/Call", &emptypb.Empty{}, &emptypb.Empty{}); err != nil || calls.Load() != 2 {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
}

func TestStoppingFinishesWhatIsUnderWay(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	var log bytes.Buffer
	conn, stop := serve(t, &log, handler(func(context.Context) error {
		close(entered)
		<-leave
		return nil
	}))
	answered := make(chan error, 1)
	go func() { answered <- call(conn) }()
	<-entered
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	close(leave)
	<-stopped
	if err := <-answered; err != nil {
		t.Errorf("the call under way: %v", err)
	}
}

func TestHealthSaysWhetherTheServerServes(t *testing.T) {
	var log bytes.Buffer
	conn, stop := serve(t, &log, handler(func(context.Context) error { return nil }))
	defer stop()
	if err := call(conn); err != nil {
		t.Fatal(err)
	}
	got, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || got.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health %v, %v", got, err)
	}
}

func TestErrorsOfTheKitHaveTheirStatuses(t *testing.T) {
	mine := errors.New("workspace is required")
	for err, want := range map[error]codes.Code{
		page.ErrToken:            codes.InvalidArgument,
		page.ErrSize:             codes.InvalidArgument,
		mine:                     codes.InvalidArgument,
		boltdb.ErrClosed:         codes.Unavailable,
		boltdb.ErrFailed:         codes.Unavailable,
		boltdb.ErrReadOnly:       codes.FailedPrecondition,
		context.DeadlineExceeded: codes.DeadlineExceeded,
		context.Canceled:         codes.Canceled,
	} {
		if got := status.Code(rpc.Status(err, mine)); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
	other := errors.New("other")
	if got := rpc.Status(other, mine); !errors.Is(got, other) {
		t.Errorf("another error became %v", got)
	}
	if rpc.Status(nil) != nil {
		t.Error("no error became one")
	}
}
