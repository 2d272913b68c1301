package ingest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// metrics counts what passes the door.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	calls    *prometheus.CounterVec
	balance  balance
}

func (m *metrics) register(to prometheus.Registerer) error {
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sojourn_gateway_requests_total", Help: "Requests for calls, by route and HTTP status.",
	}, []string{"route", "code"})
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "sojourn_gateway_request_duration_seconds", Help: "Time from a request's headers to its answer, by route.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 4, 5},
	}, []string{"route"})
	m.calls = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sojourn_gateway_calls_total",
		Help: "Calls answered for good, by what became of them (accepted, duplicate, filtered or rejected), as the books count them, " +
			"and by reason: why a call was rejected, or of what else than a call that was taken it is a duplicate.",
	}, []string{"workspace", "source", "type", "outcome", "reason"})
	m.balance = newBalance()
	return errors.Join(to.Register(m.requests), to.Register(m.seconds), to.Register(m.calls), m.balance.register(to))
}

func (m *metrics) request(ctx context.Context, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	observe.Observe(ctx, m.seconds.WithLabelValues(route), took.Seconds())
}

// Outcomes of calls. All calls that were received are in one of them.
const (
	accepted        = "accepted"
	duplicate       = "duplicate"
	filtered        = "filtered"
	rejectedOutcome = "rejected"
)

// call counts a call. Every label has few values: the configuration names workspaces and sources, and this program types and reasons.
func (m *metrics) call(s *source, typeName, outcome, reason string) {
	m.calls.WithLabelValues(s.workspace, s.rules.Source, typeLabel(typeName), outcome, reason).Inc()
}

// typeLabel keeps types that senders made up from becoming time series, as the books do. They leave the name empty where there is none.
func typeLabel(name string) string {
	if name == "" {
		return "unknown"
	}
	for t := call.Track; t <= call.Delete; t++ {
		if t.String() == name {
			return name
		}
	}
	return "other"
}
