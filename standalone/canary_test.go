package standalone_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/standalone"
)

// canaries are all secrets and all that calls hold. Each has the mark, and nothing else has it.
const (
	mark           = "canary-9f3c"
	canaryWriteKey = "write-key-" + mark
	canaryQuery    = "query-token-" + mark
	canaryAdmin    = "admin-token-" + mark
	canaryCall     = `{"type":"identify","messageId":"message-` + mark + `","timestamp":"2026-11-02T09:00:00Z","anonymousId":"anon-` + mark +
		`","userId":"user-` + mark + `","groupId":"group-` + mark + `","event":"event-` + mark + `","traits":{"email":"mail-` + mark + `"}}`
)

// shared is a log that many write.
type shared struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.Write(p)
}

// panicking is a connection to a service that panics with what it was asked, as a bug may.
type panicking struct{ grpc.ClientConnInterface }

func (panicking) Invoke(_ context.Context, _ string, request, _ any, _ ...grpc.CallOption) error {
	panic(request)
}

// failing is one whose errors hold what it was asked.
type failing struct{ grpc.ClientConnInterface }

type leaky struct{ request any }

func (leaky) Error() string { return "cannot store this" }

func (failing) Invoke(_ context.Context, _ string, request, _ any, _ ...grpc.CallOption) error {
	return leaky{request}
}

func TestNothingThatIsSentAndNoKeyIsInLogsMetricsOrRefusals(t *testing.T) {
	config := &workspace.Config{AdminTokens: workspace.NewSecrets(canaryAdmin), Workspaces: []workspace.Workspace{{
		ID: "default", QueryTokens: workspace.NewSecrets(canaryQuery),
		Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets(canaryWriteKey)}},
	}}}
	log, registry := &shared{}, observe.NewRegistry()
	deps := observe.Deps{Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Metrics: registry}
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: t.TempDir(), Workspaces: config}, deps)
	if err != nil {
		t.Fatal(err)
	}
	good := suite.Backends()
	var refusals bytes.Buffer
	for name, services := range map[string]gateway.Backends{
		"good":      good,
		"panicking": {Identity: panicking{}, Events: panicking{}, Sessions: panicking{}},
		"failing":   {Identity: failing{}, Events: failing{}, Sessions: failing{}},
		"half":      {Identity: good.Identity, Events: failing{}, Sessions: failing{}},
	} {
		g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: config}, services, deps.For(name))
		if err != nil {
			t.Fatal(err)
		}
		statuses := map[int]bool{}
		for _, request := range canaryRequests() {
			if name == "panicking" && strings.Contains(request.URL.Path, "report") {
				continue // a report asks beside its own goroutine, where nothing can stop a panic from ending the process
			}
			w := httptest.NewRecorder()
			g.Handler().ServeHTTP(w, request)
			statuses[w.Code] = true
			if w.Code != http.StatusOK || strings.HasPrefix(request.URL.Path, "/v1/") {
				refusals.Write(w.Body.Bytes())
			}
		}
		for _, want := range map[string][]int{
			"good": {200, 400, 401, 403, 404}, "panicking": {500, 401}, "failing": {500}, "half": {500},
		}[name] {
			if !statuses[want] {
				t.Errorf("%s: nothing was answered %d: %v", name, want, statuses)
			}
		}
	}
	if err := suite.Close(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for what, text := range map[string]string{"the log": log.text.String(), "the metrics": w.Body.String(), "a refusal": refusals.String()} {
		if i := strings.Index(text, mark); i >= 0 {
			t.Errorf("%s: …%.300s…", what, text[max(0, i-200):])
		}
	}
	for _, want := range []string{"request panicked", "query panicked", `"level":"DEBUG"`} {
		if !strings.Contains(log.text.String(), want) {
			t.Errorf("the log lacks %q, so it shows nothing", want)
		}
	}
}

// canaryRequests are good, bad, unauthorized and malformed, over all doors.
func canaryRequests() (requests []*http.Request) {
	add := func(path, body string, authorize func(*http.Request)) {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		authorize(r)
		requests = append(requests, r)
	}
	basic := func(user string) func(*http.Request) { return func(r *http.Request) { r.SetBasicAuth(user, mark) } }
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	for _, path := range []string{"/v1/identify", "/v1/batch", "/v1/segment", "/v1/segment/" + canaryWriteKey, "/" + mark} {
		for _, body := range []string{
			canaryCall, `{"batch":[` + canaryCall + `,{"type":"` + mark + `"}]}`, canaryCall[:100], `{"writeKey":"` + canaryWriteKey + `",` + canaryCall[1:],
			`{"writeKey":"unknown-` + mark + `",` + canaryCall[1:], `{"` + mark + `":1,"` + mark + `":2}`, `{"timestamp":"` + mark + `","type":"track","userId":7}`,
		} {
			for _, user := range []string{canaryWriteKey, canaryQuery, canaryAdmin, "unknown-" + mark} {
				add(path, body, basic(user))
			}
			add(path, body, func(*http.Request) {})
		}
	}
	for _, method := range []string{
		"identity.v1.QueryService/GetUser", "identity.v1.QueryService/ListWorkspaces", "events.v1.QueryService/QueryUsage",
		"sessions.v1.QueryService/ListSessions", "admin.v1.AdminService/DeleteUser", "report.v1.ReportService/GetAccountUsage",
	} {
		for _, token := range []string{canaryWriteKey, canaryQuery, canaryAdmin, "unknown-" + mark} {
			for _, question := range []string{
				`{"workspace":"default","userId":"user-` + mark + `","accountId":"` + mark + `"}`, `{"workspace":"` + mark + `"}`,
				`{"pageToken":"` + mark + `"}`, `{"` + mark + `":1}`, `{"userId":"` + mark,
			} {
				add("/sojourn."+method, question, bearer(token))
			}
		}
	}
	return requests
}
