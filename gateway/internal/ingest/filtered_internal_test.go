package ingest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"

	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// filtering is a door, what stands behind it, and a request for it whose calls were parsed already.
type filtering struct {
	*Door

	services *backendtest.Backend
	metrics  *prometheus.Registry
	visit    *visit
}

func newFiltering(t *testing.T) filtering {
	t.Helper()
	services, metrics := backendtest.Start(t), prometheus.NewRegistry()
	limits, err := limit.New(limit.Config{}, metrics)
	if err != nil {
		t.Fatal(err)
	}
	door, err := New(
		Config{Workspaces: &workspace.Config{}, Deadline: time.Minute, Limits: limits},
		fanout.New(services.Identity.Conn, services.Events.Conn, services.Sessions.Conn),
		observe.Deps{Log: observe.Discard().Log, Metrics: metrics},
	)
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{
		r: httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/batch", nil), received: time.Now(), pass: limits.Arrive(""),
		source: &source{workspace: "acme", rules: segment.Rules{Source: "web"}},
	}
	if err := v.enter(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.pass.Leave)
	return filtering{door, services, metrics, v}
}

// parsedCall is a call that was understood, and that is filtered or not.
func parsedCall(id string, filter bool) item {
	it := item{parsed: segment.Parsed{Call: call.Call{Type: call.Track, MessageID: id, UserID: "u", Source: "web"}}}
	if filter {
		it.parsed.Filter("integrations", "switched off")
	}
	return it
}

func TestFilteredCallsAreAnsweredAsAcceptedWithAWarningAndCounted(t *testing.T) {
	f := newFiltering(t)
	items := []item{
		parsedCall("1", true), parsedCall("2", false), parsedCall("1", true), {rejection: &segment.Rejection{Problem: segment.Problem{Code: "c"}}},
	}
	if err := f.record(t.Context(), f.visit, items); err != nil {
		t.Fatal(err)
	}
	warning := `,"code":"filtered","message":"switched off","field":"integrations"}`
	want := `{"success":true,"accepted":3,"rejected":[{"index":3,"messageId":"","code":"c","message":""}],` +
		`"warnings":[{"index":0,"count":2` + warning + `]}`
	if got := strings.TrimSpace(string(answerMany(items, nil).text())); got != want {
		t.Errorf("answered %s, want %s", got, want)
	}
	if got := string(answerOne(&items[0]).text()); !strings.HasPrefix(got, `{"success":true,"warnings":[{"code":"filtered"`) {
		t.Errorf("alone it is answered %s", got)
	}
	if events, sessions := len(f.services.Events.Calls()), len(f.services.Sessions.Calls()); events != 1 || sessions != 1 {
		t.Errorf("events has %d calls and sessions %d", events, sessions)
	}
	f.counted(t, `
sojourn_gateway_calls_total{outcome="accepted",reason="",source="web",type="track",workspace="acme"} 1
sojourn_gateway_calls_total{outcome="filtered",reason="",source="web",type="track",workspace="acme"} 2
sojourn_gateway_calls_total{outcome="rejected",reason="c",source="web",type="unknown",workspace="acme"} 1
`, 4, 0)
	if v := f.visit; v.accepted != 1 || v.filtered != 2 || v.rejected != 1 {
		t.Errorf("the log tells of %d accepted, %d filtered and %d rejected", v.accepted, v.filtered, v.rejected)
	}
}

func TestFilteredCallsThatCannotBeCountedAreNotAnsweredYet(t *testing.T) {
	f := newFiltering(t)
	f.services.Identity.Fail(func(context.Context) error { return status.Error(codes.Internal, "broken") })
	if err := f.record(t.Context(), f.visit, []item{parsedCall("1", true)}); err == nil {
		t.Error("no error")
	}
	f.counted(t, "", 1, 1)
}

// counted compares the counters of outcomes, and how many calls came in and are unsettled. At rest the latter two and the former reconcile.
func (f filtering) counted(t *testing.T, outcomes string, received, unsettled float64) {
	t.Helper()
	const name = "sojourn_gateway_calls_total"
	if outcomes != "" {
		help := `Calls answered for good, by what became of them (accepted, duplicate, filtered or rejected), as the books count them, ` +
			`and by reason: why a call was rejected, or of what else than a call that was taken it is a duplicate.`
		outcomes = "# HELP " + name + " " + help + "\n# TYPE " + name + " counter" + outcomes
	}
	if err := testutil.GatherAndCompare(f.metrics, strings.NewReader(outcomes), name); err != nil {
		t.Error(err)
	}
	b := f.Door.metrics.balance
	gotReceived, gotUnsettled := testutil.ToFloat64(b.received), testutil.ToFloat64(b.unsettled)
	if gotReceived != received || gotUnsettled != unsettled {
		t.Errorf("received %v and unsettled %v, want %v and %v", gotReceived, gotUnsettled, received, unsettled)
	}
}
