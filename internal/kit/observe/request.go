package observe

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// RequestIDHeader is where a request's id stands, over HTTP and, in lower case, over gRPC.
const RequestIDHeader = "X-Request-Id"

type requestIDKey struct{}

// An id that a proxy made looks like this: hexadecimal, perhaps a UUID. Others might say something of a customer.
const idAlphabet, minID, maxID = "0123456789abcdefABCDEF-", 16, 64

func looksRandom(id string) bool {
	return len(id) >= minID && len(id) <= maxID && strings.Trim(id, idAlphabet) == ""
}

// WithRequestID returns a context that carries a request's id: the one that came with the request, if it says nothing, or a new one.
func WithRequestID(ctx context.Context, came string) (context.Context, string) {
	if !looksRandom(came) {
		came = newRequestID()
	}
	return context.WithValue(ctx, requestIDKey{}, came), came
}

// RequestID returns the id that a context carries, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

func newRequestID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}

// IDs returns what a log line says of the request that it is about: its id, and that of its trace if it has one.
func IDs(ctx context.Context) []slog.Attr {
	var ids []slog.Attr
	if id := RequestID(ctx); id != "" {
		ids = append(ids, slog.String("request_id", id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		ids = append(ids, slog.String("trace_id", span.TraceID().String()))
	}
	return ids
}

// Exemplar returns the labels that lead from a metric to a trace, or nil where the trace is not kept.
func Exemplar(ctx context.Context) prometheus.Labels {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		return prometheus.Labels{"trace_id": span.TraceID().String()}
	}
	return nil
}

// Observe adds a value to a histogram, with a trace that shows it if there is one.
func Observe(ctx context.Context, to prometheus.Observer, value float64) {
	if labels := Exemplar(ctx); labels != nil {
		if to, ok := to.(prometheus.ExemplarObserver); ok {
			to.ObserveWithExemplar(value, labels)
			return
		}
	}
	to.Observe(value)
}
