package standalone_test

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/standalone"
)

// BenchmarkQuestion asks the events service a small question over gRPC: without traces, with traces of which none is kept, and with all kept.
func BenchmarkQuestion(b *testing.B) {
	for name, options := range map[string][]sdktrace.TracerProviderOption{
		"off":    nil,
		"none":   {sdktrace.WithSampler(sdktrace.NeverSample())},
		"traced": {sdktrace.WithBatcher(nowhere{})},
	} {
		b.Run(name, func(b *testing.B) {
			deps := observe.Discard()
			if options != nil {
				deps.Traces = sdktrace.NewTracerProvider(options...)
			}
			suite, err := standalone.Open(b.Context(), standalone.Config{Dir: b.TempDir()}, deps)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = suite.Close() }()
			service := eventsv1.NewQueryServiceClient(suite.Backends().Events)
			for b.Loop() {
				if _, err := service.ListEvents(b.Context(), &eventsv1.ListEventsRequest{Workspace: "w"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// nowhere is where traces go that are not sent.
type nowhere struct{}

// ExportSpans implements sdktrace.SpanExporter.
func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }

// Shutdown implements sdktrace.SpanExporter.
func (nowhere) Shutdown(context.Context) error { return nil }
