package rpc

import (
	"context"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc/filters"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// tracedServer returns what makes a span of every call, if there are to be any.
func tracedServer(d observe.Deps) []grpc.ServerOption {
	if d.Traces == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.StatsHandler(otelgrpc.NewServerHandler(traceOptions(d)...))}
}

// Traced returns the options of a connection whose calls are part of their caller's trace. None, if there are to be no traces.
func Traced(d observe.Deps) []grpc.DialOption {
	if d.Traces == nil {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(otelgrpc.NewClientHandler(traceOptions(d)...))}
}

// traceOptions hand in what otelgrpc would take from globals. Health checks are not traced: there would be little else.
func traceOptions(d observe.Deps) []otelgrpc.Option {
	return []otelgrpc.Option{
		otelgrpc.WithTracerProvider(d.Traces),
		otelgrpc.WithPropagators(observe.Propagator()),
		otelgrpc.WithMeterProvider(metricnoop.NewMeterProvider()),
		otelgrpc.WithFilter(filters.Not(filters.HealthCheck())),
	}
}

const requestIDKey = "x-request-id"

// received gives the context of a call the request id that it came with, or a new one.
func received(ctx context.Context) context.Context {
	came := ""
	if ids := metadata.ValueFromIncomingContext(ctx, requestIDKey); len(ids) > 0 {
		came = ids[0]
	}
	ctx, _ = observe.WithRequestID(ctx, came)
	return ctx
}

func identifyUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	return handle(received(ctx), req)
}

func identifyStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	return handle(srv, lastingStream{stream, received(stream.Context())})
}

// sent lets the request id of a context go along with a call.
func sent(ctx context.Context) context.Context {
	if id := observe.RequestID(ctx); id != "" {
		return metadata.AppendToOutgoingContext(ctx, requestIDKey, id)
	}
	return ctx
}

func sendIDUnary(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption,
) error {
	return invoke(sent(ctx), method, req, reply, cc, o...)
}

func sendIDStream(
	ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, o ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return open(sent(ctx), desc, cc, method, o...)
}
