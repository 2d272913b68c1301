package embedded

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what an open store tells of itself.
type metrics struct {
	seconds prometheus.Histogram
	updates prometheus.Histogram
	flushes prometheus.Histogram
	readers atomic.Int64
}

func newMetrics() *metrics {
	return &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "sojourn_store_commit_duration_seconds",
			Help:    "Time from when an update was sent until its frame is durable: of the first in it.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		updates: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sojourn_store_commit_writes", Help: "Updates in a frame of the log: those that ran while the one before was written.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 7),
		}),
		flushes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sojourn_store_apply_duration_seconds", Help: "Time that it takes to flush a buffer to the data file.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
}

// frame notes a frame that is durable.
func (m *metrics) frame(f *frame) {
	if len(f.ops) > 0 {
		m.seconds.Observe(time.Since(f.ops[0].began).Seconds())
		m.updates.Observe(float64(len(f.ops)))
	}
}

// register registers the metrics, and what is looked up in the store when somebody asks.
func (m *metrics) register(to prometheus.Registerer, s *Store) error {
	if to == nil {
		return nil
	}
	gauge := func(name, help string, value func() int64) prometheus.Collector {
		o := prometheus.GaugeOpts{Name: "sojourn_store_" + name, Help: help}
		return prometheus.NewGaugeFunc(o, func() float64 { return float64(value()) })
	}
	flag := func(is bool) int64 {
		if is {
			return 1
		}
		return 0
	}
	for _, c := range []prometheus.Collector{
		m.seconds, m.updates, m.flushes,
		gauge("failed", "1 once a write has failed: the store takes no updates any more.", func() int64 { return flag(s.failed() != nil) }),
		gauge("full", "1 while a flush finds no room on the disk.", func() int64 { return flag(s.full.Load()) }),
		gauge("log_bytes", "Size of the log beside the data file.", s.logBytes),
		gauge("buffer_bytes", "Memory that rows take that are not being flushed yet, about.", s.filled.Load),
		gauge("file_bytes", "Size of the data file.", func() int64 { return fileSize(s.config.Path) }),
		gauge("free_bytes", "What of the data file is free to be written again, or will be when readers have ended.", s.freeInFile),
		gauge("readers", "Read transactions that are open.", m.readers.Load),
	} {
		if err := to.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// logBytes is the size of the log; what cannot be looked up counts nothing.
func (s *Store) logBytes() (size int64) {
	numbers, _ := segments(s.disk, s.config.Path)
	for _, n := range numbers {
		size += fileSize(segmentPath(s.config.Path, n))
	}
	return size
}
