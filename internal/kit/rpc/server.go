// Package rpc makes the gRPC servers and connections of every component, all with the same interceptors, limits and retries, over TCP or
// within one process.
package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/logging"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/streams"
)

const (
	// A batch of calls may be 500 KiB of JSON; a page of rows can be larger.
	maxMessageBytes = 64 << 20
	// Requests beyond this many at once are turned away at once, rather than all being served late.
	maxInFlight = 4096
	// Streams have places of their own: those who only wait do not keep out those who ask.
	maxStreams = 1024
	// A connection on which nothing is heard for pingAfter is asked whether it still lives, and closed when it does not say so within
	// pingTimeout. Both sides do this, for both may wait on a stream for hours.
	pingAfter   = time.Minute
	pingTimeout = 20 * time.Second
)

// Server is a gRPC server with health and reflection, and the interceptors that every component has.
type Server struct {
	*grpc.Server

	health  *health.Server
	streams *streams.Group

	unary    grpc.UnaryServerInterceptor // all of them
	methods  map[string]method           // by full name
	directly *underWay
}

// NewServer returns a server for everybody that is not ready until SetReady(true).
func NewServer(d observe.Deps) (*Server, error) { return NewGuarded(d, Guard{}) }

// NewGuarded returns a server for those whom guard lets in, that is not ready until SetReady(true).
func NewGuarded(d observe.Deps, guard Guard) (*Server, error) {
	metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
	if err := d.Metrics.Register(metrics); err != nil {
		return nil, fmt.Errorf("register rpc metrics: %w", err)
	}
	slots := make(limiter, maxInFlight)
	open := streams.New(maxStreams)
	logger := logAdapter(d.Log)
	logOptions := []logging.Option{logging.WithLogOnEvents(logging.FinishCall), logging.WithLevels(logLevel)}
	recoverer := recovery.WithRecoveryHandlerContext(func(ctx context.Context, p any) error {
		d.Log.ErrorContext(ctx, "rpc panicked", observe.Panic(p))
		return errInternal
	})
	// Outermost first. Recovery sits inside logging and metrics: outside them, a panicking call would leave no trace.
	unary := chain(
		identifyUnary,
		metrics.UnaryServerInterceptor(grpcprom.WithExemplarFromContext(observe.Exemplar)),
		logging.UnaryServerInterceptor(logger, logOptions...),
		recovery.UnaryServerInterceptor(recoverer),
		sanitizeUnary(d.Log),
		guard.unary,
		slots.unary,
	)
	s := &Server{
		Server: grpc.NewServer(append(tracedServer(d),
			grpc.Creds(guard.credentials()),
			grpc.MaxRecvMsgSize(maxMessageBytes),
			grpc.MaxSendMsgSize(maxMessageBytes),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: pingAfter, Timeout: pingTimeout}),
			// Clients that ping more often than this are cut off; ours keep to pingAfter.
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingAfter / 2}),
			grpc.UnaryInterceptor(unary),
			grpc.ChainStreamInterceptor(
				identifyStream,
				metrics.StreamServerInterceptor(grpcprom.WithExemplarFromContext(observe.Exemplar)),
				logging.StreamServerInterceptor(logger, logOptions...),
				recovery.StreamServerInterceptor(recoverer),
				sanitizeStream(d.Log),
				guard.stream,
				lasting(open),
				sharing(maxStreams),
			),
		)...),
		health:  health.NewServer(),
		streams: open,
		unary:   unary, methods: map[string]method{}, directly: newUnderWay(),
	}
	s.SetReady(false)
	healthpb.RegisterHealthServer(s.Server, s.health)
	reflection.Register(s.Server)
	return s, nil
}

// SetReady says over gRPC health whether the server wants traffic.
func (s *Server) SetReady(ready bool) {
	serving := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		serving = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", serving)
	s.health.SetServingStatus(Calls, serving)
}

// ServeUntil serves on l until ctx ends, then takes no new calls, ends the streams with UNAVAILABLE, waits for what is under way until
// drain ends, and returns. A stream whose client does not read what it is sent is under way too.
func (s *Server) ServeUntil(ctx, drain context.Context, l net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	s.SetReady(true)
	select {
	case err := <-served:
		return fmt.Errorf("serve gRPC on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.SetReady(false)
	s.streams.End()
	direct := s.directly.stop()
	stopped := make(chan struct{})
	go func() { s.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
	case <-drain.Done():
		s.Stop()
		<-stopped
	}
	select {
	case <-direct:
	case <-drain.Done():
	}
	if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve gRPC on %s: %w", l.Addr(), err)
	}
	return nil
}

var errInternal = status.Error(codes.Internal, "internal error")

// sanitize lets statuses pass and hides every other error behind a constant one: its text may hold customer data.
func sanitize(ctx context.Context, log *slog.Logger, method string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	log.ErrorContext(ctx, "rpc failed", slog.String("method", method), slog.Any("error", err))
	return errInternal
}

func sanitizeUnary(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		resp, err := handle(ctx, req)
		return resp, sanitize(ctx, log, info.FullMethod, err)
	}
}

func sanitizeStream(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		return sanitize(stream.Context(), log, info.FullMethod, handle(srv, stream))
	}
}

// limiter holds one place for each unary call that may be under way.
type limiter chan struct{}

var errBusy = status.Error(codes.Unavailable, "too many requests at once, try again")

func (l limiter) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	select {
	case l <- struct{}{}:
		defer func() { <-l }()
		return handle(ctx, req)
	default:
		return nil, errBusy
	}
}

// logAdapter writes one line a call, never what was in it.
func logAdapter(log *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(ctx context.Context, level logging.Level, _ string, fields ...any) {
		log.Log(ctx, slog.Level(level), "rpc", fields...)
	})
}

// logLevel keeps what goes well, or is the client's mistake, out of the usual log: at thousands of calls a second it would drown the rest.
func logLevel(code codes.Code) logging.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return logging.LevelError
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Unauthenticated:
		return logging.LevelWarn
	default:
		return logging.LevelDebug
	}
}
