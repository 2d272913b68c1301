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
	err := errors.Join(to.Register(l.metrics.refused), to.Register(l.held()))
	for _, g := range []struct {
		name, help string
		read       func() float64
	}{
		{"connections", "Open connections.", func() float64 { return float64(l.connections.open()) }},
		{
			"work_limit_bytes", "How many bytes of bodies may be parsed and stored at once; it follows how long that takes.",
			func() float64 { size, _ := l.work.sizes(); return float64(size) },
		},
	} {
		err = errors.Join(err, to.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + g.name, Help: g.help}, g.read)))
	}
	return err
}

const prefix = "sojourn_gateway_"

// held is a collector of what workspaces hold of pools.
type held []heldPool

type heldPool struct {
	desc *prometheus.Desc
	pool *pool[tenant]
}

// held returns a collector of everything that workspaces hold. What belongs to no known workspace has an empty one, so there are never more
// series than workspaces.
func (l *Limits) held() held {
	gauge := func(name, help string, of *pool[tenant]) heldPool {
		return heldPool{prometheus.NewDesc(prefix+name, help, []string{"workspace"}, nil), of}
	}
	return held{
		gauge("requests_under_way", "Requests for calls that are under way, by workspace (empty: not known yet).", l.requests),
		gauge("body_bytes", "Memory that bodies of requests under way take, by workspace (empty: not known yet).", l.bytes),
		gauge("work_bytes", "Bytes of bodies that are parsed and stored, by workspace.", l.work.pool),
		gauge("questions_under_way", "Questions that are under way, by the workspace of who asks (empty: the admin).", l.questions),
		gauge("streams", "Answers that go on until their reader leaves, by the workspace of who asks (empty: the admin).", l.streams),
	}
}

// Describe implements prometheus.Collector.
func (h held) Describe(to chan<- *prometheus.Desc) {
	for _, p := range h {
		to <- p.desc
	}
}

// Collect implements prometheus.Collector.
func (h held) Collect(to chan<- prometheus.Metric) {
	for _, p := range h {
		sums := map[string]float64{"": 0}
		p.pool.each(func(who tenant, held int64) { sums[who.workspace] += float64(held) })
		for workspace, sum := range sums {
			to <- prometheus.MustNewConstMetric(p.desc, prometheus.GaugeValue, sum, workspace)
		}
	}
}
