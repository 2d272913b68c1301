package standalone_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/admin"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/standalone"
)

const (
	writeKey   = "write-key-0000000000"
	limitedKey = "limited-key-0000000"
	queryToken = "query-token-00000000"
	secretCall = `{"messageId":"canary-message","timestamp":"2026-11-01T12:00:00Z","anonymousId":"canary-device","userId":"canary-user",
		"groupId":"canary-account","event":"canary-event","properties":{"module":"canary-module"}}`
)

// seen is a Sojourn of which everything is seen.
type seen struct {
	url      string
	log      *bytes.Buffer
	registry *prometheus.Registry
	noted    *noting // what was registered
	spans    *tracetest.InMemoryExporter
}

// watched starts a Sojourn. Its log can be read once stop has been called.
func watched(t *testing.T) (s seen, stop func()) {
	t.Helper()
	s = seen{log: &bytes.Buffer{}, registry: prometheus.NewRegistry(), spans: tracetest.NewInMemoryExporter()}
	s.noted = &noting{Registerer: s.registry}
	deps := observe.Deps{
		Log: observe.NewLog(s.log, slog.LevelDebug), Metrics: s.noted,
		Traces: sdktrace.NewTracerProvider(sdktrace.WithSyncer(s.spans)),
	}
	config := &workspace.Config{Workspaces: []workspace.Workspace{{
		ID: "w", QueryTokens: workspace.NewSecrets(queryToken), Sources: []workspace.Source{
			{ID: "web", WriteKeys: workspace.NewSecrets(writeKey)},
			{ID: "limited", WriteKeys: workspace.NewSecrets(limitedKey), Limits: workspace.Limits{CallsPerSecond: .001}},
		},
	}}}
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: t.TempDir(), Workspaces: config}, deps)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: config}, suite.Backends(), deps.For("gateway"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g.Handler())
	s.url = server.URL
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		server.Close()
		if err := suite.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return s, stop
}

// post posts a body and returns the header of the answer, which must be 200.
func (s seen) post(t *testing.T, path, body string, header http.Header) http.Header {
	t.Helper()
	return s.postFor(t, http.StatusOK, path, body, header)
}

// postFor is post with another answer.
func (s seen) postFor(t *testing.T, want int, path, body string, header http.Header) http.Header {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != want {
		t.Errorf("%s answered %s", path, response.Status)
	}
	return response.Header
}

func sender() http.Header {
	return http.Header{"Authorization": {"Basic d3JpdGUta2V5LTAwMDAwMDAwMDA6"}}
}
func asker() http.Header { return http.Header{"Authorization": {"Bearer " + queryToken}} }

const theirTrace = "0af7651916cd43dd8448eb211c80319c"

func TestACallIsOneTraceFromTheDoorToThreeCommits(t *testing.T) {
	s, stop := watched(t)
	header := sender()
	header.Set("Traceparent", "00-"+theirTrace+"-b7ad6b7169203331-01")
	s.post(t, "/v1/track", secretCall, header)
	stop()
	byID := map[trace.SpanID]tracetest.SpanStub{}
	var door tracetest.SpanStub
	for _, span := range s.spans.GetSpans() {
		byID[span.SpanContext.SpanID()] = span
		if span.Name == "receive /v1/track" {
			door = span
		}
	}
	if !door.SpanContext.IsValid() || door.Parent.IsValid() {
		t.Fatalf("no trace begins at the door: %v", s.spans.GetSpans())
	}
	if len(door.Links) != 1 || door.Links[0].SpanContext.TraceID().String() != theirTrace {
		t.Errorf("the trace is linked to %v", door.Links)
	}
	for _, service := range []string{"identity", "events", "sessions"} {
		rpc := "sojourn." + service + ".v1.IngestService/RecordCalls"
		found := 0
		for _, span := range byID {
			if span.Name != "commit "+service || span.SpanContext.TraceID() != door.SpanContext.TraceID() {
				continue
			}
			found++
			server := byID[span.Parent.SpanID()]
			client := byID[server.Parent.SpanID()]
			if server.Name != rpc || server.SpanKind != trace.SpanKindServer || client.Name != rpc || client.SpanKind != trace.SpanKindClient ||
				client.Parent.SpanID() != door.SpanContext.SpanID() {
				t.Errorf("the commit of %s is under %q, %q", service, server.Name, client.Name)
			}
			if len(span.Events) != 1 || span.Events[0].Name != "transaction begins" {
				t.Errorf("the commit of %s says %v", service, span.Events)
			}
		}
		if found != 1 {
			t.Errorf("%s commits %d times in the trace", service, found)
		}
	}
}

func TestNeitherTracesNorLogsNorMetricsHoldWhatWasSent(t *testing.T) {
	s, stop := watched(t)
	s.post(t, "/v1/track", secretCall, sender())
	s.post(t, "/sojourn.events.v1.QueryService/ListEvents", `{"userId":"canary-user"}`, asker())
	metrics := s.metrics(t)
	stop()
	var spans strings.Builder
	for _, span := range s.spans.GetSpans() {
		spans.WriteString(span.Name)
		for _, a := range span.Attributes {
			spans.WriteString(" " + string(a.Key) + "=" + a.Value.String())
		}
	}
	for name, text := range map[string]string{"the spans": spans.String(), "the log": s.log.String(), "the metrics": metrics} {
		for _, secret := range []string{"canary", writeKey, queryToken} {
			if strings.Contains(text, secret) {
				t.Errorf("%s hold %s:\n%s", name, secret, text)
			}
		}
	}
}

func TestEveryLineOfARequestHasItsIDAndItsTrace(t *testing.T) {
	s, stop := watched(t)
	header := sender()
	header.Set(observe.RequestIDHeader, "0123456789abcdef0123456789abcdef")
	if got := s.post(t, "/v1/track", secretCall, header).Get(observe.RequestIDHeader); got != "0123456789abcdef0123456789abcdef" {
		t.Errorf("the answer has the id %q", got)
	}
	header.Set(observe.RequestIDHeader, "ada@example.com")
	made := s.post(t, "/v1/track", secretCall, header).Get(observe.RequestIDHeader)
	asked := s.post(t, "/sojourn.events.v1.QueryService/ListEvents", `{}`, asker()).Get(observe.RequestIDHeader)
	stop()
	if strings.Contains(made, "ada") || len(made) != 32 || len(asked) != 32 {
		t.Errorf("the ids made are %q and %q", made, asked)
	}
	for id, want := range map[string][]string{
		"0123456789abcdef0123456789abcdef": {"gateway", "identity", "events", "sessions"}, made: {"gateway", "identity", "events", "sessions"},
		asked: {"gateway", "events"},
	} {
		lines := map[string]int{}
		for line := range strings.Lines(s.log.String()) {
			if !strings.Contains(line, `"request_id":"`+id+`"`) {
				continue
			}
			if !strings.Contains(line, `"trace_id":"`) {
				t.Errorf("no trace: %s", line)
			}
			for _, component := range want {
				if strings.Contains(line, `"component":"`+component+`"`) {
					lines[component]++
				}
			}
		}
		for _, component := range want {
			if lines[component] != 1 {
				t.Errorf("request %s has %d lines of %s", id, lines[component], component)
			}
		}
	}
}

// metrics is what a scrape in OpenMetrics brings.
func (s seen) metrics(t *testing.T) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	w := httptest.NewRecorder()
	admin.Handler(s.registry, func() error { return nil }).ServeHTTP(w, r)
	return w.Body.String()
}

func TestLatenciesLeadToTraces(t *testing.T) {
	s, _ := watched(t)
	s.post(t, "/v1/track", secretCall, sender())
	s.post(t, "/sojourn.events.v1.QueryService/ListEvents", `{}`, asker())
	metrics := s.metrics(t)
	for _, name := range []string{
		"sojourn_gateway_request_duration_seconds_bucket", "sojourn_gateway_query_duration_seconds_bucket", "grpc_server_handling_seconds_bucket",
	} {
		found := false
		for line := range strings.Lines(metrics) {
			found = found || strings.HasPrefix(line, name) && strings.Contains(line, `# {trace_id="`)
		}
		if !found {
			t.Errorf("%s has no exemplar", name)
		}
	}
}
