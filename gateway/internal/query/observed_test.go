package query_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/streams"

	"github.com/sojournhq/sojourn/gateway/internal/query"
)

func TestEveryQuestionIsCountedByItsAnswerAndHasAnID(t *testing.T) {
	services, mux, deps := newAnything(t), http.NewServeMux(), observe.Discard()
	if err := query.Register(mux, query.Config{
		Workspaces: &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken)}}},
		Identity:   services.conn, Events: services.conn, Sessions: services.conn, Deadline: time.Second, SendTime: never, Streams: streams.New(1),
	}, deps); err != nil {
		t.Fatal(err)
	}
	ask := func(token, procedure, question string) (id string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, procedure, strings.NewReader(question))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		_, _ = io.Copy(io.Discard, w.Body)
		return w.Header().Get(observe.RequestIDHeader)
	}
	const list, rebuild = "/sojourn.identity.v1.QueryService/ListUsers", "/sojourn.sessions.v1.AdminService/RebuildSessions"
	if id := ask(acmeToken, list, `{}`); len(id) != 32 {
		t.Errorf("an answer has the id %q", id)
	}
	if id := ask(acmeToken, list, `{"workspace":"other"}`); len(id) != 32 {
		t.Errorf("a refusal has the id %q", id)
	}
	ask("unknown", list, `{}`)
	ask(acmeToken, rebuild, `{"workspace":"acme"}`)
	families, err := deps.Metrics.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	got, timed := map[string]int{}, uint64(0)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "sojourn_gateway_query_duration_seconds" {
				timed += m.GetHistogram().GetSampleCount()
			}
			if f.GetName() == "sojourn_gateway_queries_total" {
				got[m.GetLabel()[1].GetValue()+" "+m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
			}
		}
	}
	want := map[string]int{list + " ok": 1, list + " permission_denied": 1, list + " unauthenticated": 1, rebuild + " permission_denied": 1}
	if diff := cmp.Diff(want, got); diff != "" || timed != 2 {
		t.Errorf("%d timed; counted (-want +got):\n%s", timed, diff)
	}
}
