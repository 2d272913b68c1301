package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracerName is what all spans of Sojourn's own say they come from.
const tracerName = "github.com/sojournhq/sojourn"

// flushTime is how long a stopping process waits for its last spans to be sent.
const flushTime = 3 * time.Second

// Tracer returns what makes the spans of a component: names, numbers and codes, never what was sent.
func (d Deps) Tracer() trace.Tracer {
	if d.Traces == nil {
		return noop.NewTracerProvider().Tracer(tracerName)
	}
	return d.Traces.Tracer(tracerName)
}

// Propagator carries traces from one process to the next, as W3C Trace Context.
func Propagator() propagation.TextMapPropagator { return propagation.TraceContext{} }

// EndSpan ends a span. Of an error it keeps that there was one, not its text, which may hold what was sent.
func EndSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// NewTraces returns what makes the spans of a process and sends them by OTLP, if OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says where to; else nil. All other OTEL_ variables count as OpenTelemetry has it. The returned
// function sends what is left.
func NewTraces(ctx context.Context, program string, log *slog.Logger) (trace.TracerProvider, func(), error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return nil, func() {}, nil
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("export traces: %w", err)
	}
	attributes, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", program)), resource.WithFromEnv())
	if err != nil {
		return nil, nil, fmt.Errorf("export traces: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(loggingExporter{exporter, log}), sdktrace.WithResource(attributes))
	return provider, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("the last traces were not sent", slog.Any("error", err))
		}
	}, nil
}

// newExporter speaks the protocol that the environment names; OpenTelemetry's default is HTTP.
func newExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	switch cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")) {
	case "grpc":
		return otlptracegrpc.New(ctx)
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	default:
		return nil, errors.New("OTEL_EXPORTER_OTLP_PROTOCOL is neither grpc nor http/protobuf")
	}
}

// loggingExporter keeps errors from OpenTelemetry's global handler.
type loggingExporter struct {
	sdktrace.SpanExporter

	log *slog.Logger
}

// ExportSpans implements sdktrace.SpanExporter.
func (e loggingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.log.Warn("traces were not sent", slog.Int("spans", len(spans)), slog.Any("error", err))
	}
	return nil
}
