package observe_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

func TestNoTracesAreMadeUnlessTheEnvironmentSaysWhereTheyGo(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	traces, flush, err := observe.NewTraces(t.Context(), "test", slog.New(slog.DiscardHandler))
	if traces != nil || err != nil {
		t.Errorf("made %v, %v", traces, err)
	}
	flush()
	d := observe.Deps{}
	if _, span := d.Tracer().Start(t.Context(), "x"); span.IsRecording() {
		t.Error("a span of nobody's is recorded")
	}
}

func TestTracesAreSentWhereTheEnvironmentSaysAndTheLastWhenTheProcessStops(t *testing.T) {
	sent := make(chan string, 10)
	answer := http.StatusOK
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent <- r.URL.Path
		w.WriteHeader(answer)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	var log bytes.Buffer
	send := func() {
		ctx, stop := context.WithCancel(t.Context())
		traces, flush, err := observe.NewTraces(ctx, "test", slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		_, span := observe.Deps{Traces: traces}.Tracer().Start(ctx, "x")
		span.End()
		stop() // as a process is told to
		flush()
	}
	send()
	if got := <-sent; got != "/v1/traces" || log.Len() > 0 {
		t.Errorf("sent to %s; the log says %s", got, &log)
	}
	answer = http.StatusBadRequest // which is not tried again
	send()
	if !strings.Contains(log.String(), "traces were not sent") {
		t.Errorf("refused, and the log says %q", &log)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier pigeon")
	if _, _, err := observe.NewTraces(t.Context(), "test", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("an unknown protocol is spoken")
	}
}

func TestARequestKeepsAnIDThatSaysNothingAndGetsANewOneOtherwise(t *testing.T) {
	for came, kept := range map[string]bool{
		"0af7651916cd43dd8448eb211c80319c": true, "7F3A5B9E-0c44-4a0b-9d5e-6a1d2f3b4c5d": true,
		"": false, "0af765": false, "ada@example.com-0123456789": false, strings.Repeat("a", 65): false, "0af7651916cd43dd8448eb211c80319c\n": false,
	} {
		ctx, id := observe.WithRequestID(t.Context(), came)
		if (id == came) != kept || id != observe.RequestID(ctx) || len(id) < 16 {
			t.Errorf("%q became %q, and the context has %q", came, id, observe.RequestID(ctx))
		}
	}
}
