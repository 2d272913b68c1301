package limit

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what is refused.
type metrics struct {
	refused *prometheus.CounterVec
}

func newMetrics() metrics {
	return metrics{refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sojourn_gateway_refused_total",
		Help: "Requests, and connections, that were refused for a limit, by workspace (empty: not known) and the limit that was reached.",
	}, []string{"workspace", "reason"})}
}

func (m metrics) refuse(workspace, reason string) { m.refused.WithLabelValues(workspace, reason).Inc() }

// register registers the counters, and gauges that read the pools when they are asked.
func (l *Limits) register(to prometheus.Registerer) error {
	return errors.Join(to.Register(l.metrics.refused), to.Register(held{l}))
}

// Descriptions of the gauges. What belongs to no known workspace has an empty one, so there are never more series than workspaces.
var (
	requestsDesc  = describe("requests_under_way", "Requests for calls that are under way, by workspace (empty: not known yet).")
	bytesDesc     = describe("body_bytes", "Memory that bodies of requests under way take, by workspace (empty: not known yet).")
	callsDesc     = describe("calls_under_way", "Calls that the services are busy with, by workspace.")
	questionsDesc = describe("questions_under_way", "Questions that are under way, by the workspace of who asks (empty: the admin).")
	streamsDesc   = describe("streams", "Answers that go on until their reader leaves, by the workspace of who asks (empty: the admin).")
	connsDesc     = prometheus.NewDesc("sojourn_gateway_connections", "Open connections.", nil, nil)
)

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("sojourn_gateway_"+name, help, []string{"workspace"}, nil)
}

// held is a collector of what is held.
type held struct{ limits *Limits }

// Describe implements prometheus.Collector.
func (h held) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{requestsDesc, bytesDesc, callsDesc, questionsDesc, streamsDesc, connsDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (h held) Collect(to chan<- prometheus.Metric) {
	for _, g := range []struct {
		desc *prometheus.Desc
		of   *pool[tenant]
	}{
		{requestsDesc, h.limits.requests}, {bytesDesc, h.limits.bytes}, {callsDesc, h.limits.calls},
		{questionsDesc, h.limits.questions}, {streamsDesc, h.limits.streams},
	} {
		sums := map[string]float64{"": 0}
		g.of.each(func(who tenant, held int64) { sums[who.workspace] += float64(held) })
		for workspace, sum := range sums {
			to <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, sum, workspace)
		}
	}
	to <- prometheus.MustNewConstMetric(connsDesc, prometheus.GaugeValue, float64(h.limits.connections.open()))
}
