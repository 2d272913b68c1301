package boltdb

import (
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics is what an open file tells of itself.
type metrics struct {
	seconds prometheus.Histogram
	writes  prometheus.Histogram
	sweeps  prometheus.Histogram
	compact compactMetrics
	readers readers
}

func newMetrics(log *slog.Logger) *metrics {
	return &metrics{
		compact: newCompactMetrics(),
		readers: readers{log: log},
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sojourn_store_commit_duration_seconds", Help: "Time that a transaction takes, with all its writes, until it is durable.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		writes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sojourn_store_commit_writes", Help: "Writes in a transaction: requests that were waiting when it began.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 7),
		}),
		sweeps: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sojourn_store_apply_duration_seconds", Help: "Time that it takes to apply a part of the log to the data file.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
}

// register registers the metrics, and what is looked up in db when somebody asks.
func (m *metrics) register(to prometheus.Registerer, db *DB) error {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "sojourn_store_" + name, Help: help}, value)
	}
	for _, c := range []prometheus.Collector{
		m.seconds, m.writes, m.sweeps, m.compact.runs, m.compact.seconds, m.compact.bytes,
		gauge("failed", "1 once a commit has failed: the store takes no writes any more.", func() float64 {
			if db.failed.Load() {
				return 1
			}
			return 0
		}),
		gauge("log_bytes", "Size of the log beside the data file: what was committed and is not yet applied to it.", func() float64 {
			return float64(logBytes(db.bolt.Path()))
		}),
		gauge("file_bytes", "Size of the data file.", func() float64 {
			info, err := os.Stat(db.bolt.Path())
			if err != nil {
				return 0
			}
			return float64(info.Size())
		}),
		gauge("free_bytes", "What of the data file is free to be written again, or will be when readers have ended.", func() float64 {
			return float64(db.bolt.free())
		}),
		gauge("full", "1 while the disk is full but for the reserve: what would add to the data is refused.", func() float64 {
			if db.Room() != nil {
				return 1
			}
			return 0
		}),
		gauge("readers", "Read transactions that are open.", func() float64 { return float64(db.Readers()) }),
		gauge("oldest_reader_seconds", "For how long the oldest of them has been open; meanwhile freed pages are not used again.",
			func() float64 { return m.readers.oldest().Seconds() }),
	} {
		if err := to.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// logBytes is the size of all segments beside a file; what cannot be looked up counts nothing.
func logBytes(path string) (size int64) {
	generations, _ := segments(path)
	for _, g := range generations {
		if info, err := os.Stat(segmentPath(path, g)); err == nil {
			size += info.Size()
		}
	}
	return size
}
