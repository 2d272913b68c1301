package ingest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestTheCountersShowThatTheBooksBalance(t *testing.T) {
	g := open(t)
	g.post("/v1/track", webKey, trackCall("m0", ""))
	g.post("/v1/batch", webKey, `{"batch":[`+trackCall("m0", "")+`,`+trackCall("m1", "")+`,{"type":"made up"},1]}`)
	g.post("/v1/track", "no-such-key-00000", `{}`)
	g.Sessions.Fail(func(context.Context) error { return status.Error(codes.Internal, "broken") })
	g.post("/v1/track", webKey, trackCall("m2", ""))
	if err := testutil.GatherAndCompare(g.metrics, strings.NewReader(`
# HELP sojourn_gateway_calls_received_total Calls that came in from known sources, every attempt counted.
# TYPE sojourn_gateway_calls_received_total counter
sojourn_gateway_calls_received_total{source="web",workspace="acme"} 6
# HELP sojourn_gateway_calls_unsettled_total Calls among them that were answered to be sent again: a service was away, late or wrong.
# TYPE sojourn_gateway_calls_unsettled_total counter
sojourn_gateway_calls_unsettled_total{source="web",workspace="acme"} 1
`), "sojourn_gateway_calls_received_total", "sojourn_gateway_calls_unsettled_total"); err != nil {
		t.Error(err)
	}
}
