package boltdb

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// compactMetrics is what a file tells of being compacted.
type compactMetrics struct {
	runs    *prometheus.CounterVec
	seconds prometheus.Counter
	bytes   prometheus.Counter
}

func newCompactMetrics() compactMetrics {
	m := compactMetrics{
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sojourn_store_compactions_total", Help: "Compactions of the data file while it was in use, by what became of them.",
		}, []string{"outcome"}),
		seconds: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sojourn_store_compaction_seconds_total", Help: "Time that they took, whatever became of them.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sojourn_store_compacted_bytes_total", Help: "By how much they made the data file smaller.",
		}),
	}
	for _, outcome := range []string{"done", "failed"} {
		m.runs.WithLabelValues(outcome) // so that there is a 0
	}
	return m
}

// compacted counts a compaction. One that somebody ended counts as none.
func (m *metrics) compacted(c Compaction, err error) {
	m.compact.seconds.Add(c.Took.Seconds())
	switch {
	case err == nil:
		m.compact.runs.WithLabelValues("done").Inc()
		m.compact.bytes.Add(float64(max(c.Before-c.After, 0)))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrClosed):
	default:
		m.compact.runs.WithLabelValues("failed").Inc()
	}
}
