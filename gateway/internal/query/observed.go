package query

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// observed counts, times, logs and traces every question, outermost of all interceptors.
type observed struct {
	handlerOnly

	deps    observe.Deps
	handled *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newObserved(d observe.Deps) (observed, error) {
	o := observed{
		deps: d,
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sojourn_gateway_queries_total", Help: "Questions and streams that ended, by procedure and code.",
		}, []string{"procedure", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "sojourn_gateway_query_duration_seconds",
			Help:    "Time from a question to its answer, by procedure; streams are not timed.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"procedure"}),
	}
	if d.Metrics == nil {
		return o, nil
	}
	return o, errors.Join(d.Metrics.Register(o.handled), d.Metrics.Register(o.seconds))
}

// gate counts those whom a gate does not let in: no interceptor sees them.
func (o observed) gate(
	admit func(context.Context, connect.Spec, connect.Peer, http.Header) (context.Context, error),
) func(context.Context, connect.Spec, connect.Peer, http.Header) (context.Context, error) {
	return func(ctx context.Context, spec connect.Spec, peer connect.Peer, header http.Header) (context.Context, error) {
		ctx, err := admit(ctx, spec, peer, header)
		if err != nil {
			o.handled.WithLabelValues(spec.Procedure, codeOf(err)).Inc()
		}
		return ctx, err
	}
}

// WrapUnary implements connect.Interceptor.
func (o observed) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		ctx, span := o.begin(ctx, req.Spec(), req.Header())
		began := time.Now()
		resp, err := next(ctx, req)
		took := time.Since(began)
		observe.Observe(ctx, o.seconds.WithLabelValues(req.Spec().Procedure), took.Seconds())
		o.end(ctx, span, req.Spec(), took, err)
		if refused := new(connect.Error); errors.As(err, &refused) {
			refused.Meta().Set(observe.RequestIDHeader, observe.RequestID(ctx))
		} else if err == nil {
			resp.Header().Set(observe.RequestIDHeader, observe.RequestID(ctx))
		}
		return resp, err
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (o observed) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		ctx, span := o.begin(ctx, conn.Spec(), conn.RequestHeader())
		conn.ResponseHeader().Set(observe.RequestIDHeader, observe.RequestID(ctx))
		began := time.Now()
		err := next(ctx, conn)
		o.end(ctx, span, conn.Spec(), time.Since(began), err)
		return err
	}
}

// begin gives a question an id and a span, in the trace of whoever asks: they are known.
func (o observed) begin(ctx context.Context, spec connect.Spec, header http.Header) (context.Context, trace.Span) {
	ctx, _ = observe.WithRequestID(ctx, header.Get(observe.RequestIDHeader))
	if o.deps.Traces == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	ctx = observe.Propagator().Extract(ctx, propagation.HeaderCarrier(header))
	return o.deps.Tracer().Start(ctx, strings.TrimPrefix(spec.Procedure, "/"), trace.WithSpanKind(trace.SpanKindServer))
}

func (o observed) end(ctx context.Context, span trace.Span, spec connect.Spec, took time.Duration, err error) {
	code := codeOf(err)
	o.handled.WithLabelValues(spec.Procedure, code).Inc()
	if err != nil {
		span.SetStatus(codes.Error, code)
	}
	span.End()
	o.deps.Log.LogAttrs(ctx, slog.LevelDebug, "query", slog.String("procedure", spec.Procedure), slog.String("code", code),
		slog.Duration("took", took))
}

func codeOf(err error) string {
	if err == nil {
		return "ok"
	}
	return connect.CodeOf(err).String()
}
