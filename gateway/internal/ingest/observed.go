package ingest

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// begin gives a request an id, which its answer tells, and begins its span. The span begins a trace: whoever sends calls does not decide
// what is traced. Where the sender has a trace of its own, the two are linked.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, path string) (*http.Request, trace.Span) {
	ctx, id := observe.WithRequestID(r.Context(), r.Header.Get(observe.RequestIDHeader))
	w.Header().Set(observe.RequestIDHeader, id)
	if d.deps.Traces == nil {
		return r.WithContext(ctx), trace.SpanFromContext(ctx)
	}
	options := []trace.SpanStartOption{
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.route", path)),
	}
	theirs := trace.SpanContextFromContext(observe.Propagator().Extract(ctx, propagation.HeaderCarrier(r.Header)))
	if theirs.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: theirs}))
	}
	ctx, span := d.deps.Tracer().Start(ctx, "receive "+path, options...)
	return r.WithContext(ctx), span
}

// end ends the span of a request with what became of it.
func end(span trace.Span, v *visit, status int) {
	if span.IsRecording() {
		span.SetAttributes(
			attribute.Int("http.response.status_code", status), attribute.Int("sojourn.accepted", v.accepted),
			attribute.Int("sojourn.duplicate", v.duplicate), attribute.Int("sojourn.filtered", v.filtered),
			attribute.Int("sojourn.rejected", v.rejected),
		)
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
