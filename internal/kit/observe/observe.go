// Package observe holds what every component is handed to make itself seen: a log, a metrics registry, and traces. Nothing is global.
package observe

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"
)

// Deps is what a component needs from the process it runs in.
type Deps struct {
	// Log takes constant messages with typed attributes; never traits, properties or keys.
	Log *slog.Logger
	// Metrics is where the component registers its metrics.
	Metrics prometheus.Registerer
	// Traces makes spans. Nil: none are made.
	Traces trace.TracerProvider
	// Fatal is called at most once when the component can no longer keep its promises and the process must end. It may be nil.
	Fatal func(error)
}

// For returns the dependencies of one component of a process: its log lines and metrics carry its name.
func (d Deps) For(component string) Deps {
	d.Log = d.Log.With(slog.String("component", component))
	d.Metrics = prometheus.WrapRegistererWith(prometheus.Labels{"component": component}, d.Metrics)
	return d
}

// Discard returns dependencies for tests and one-off commands: no log, metrics that nobody reads.
func Discard() Deps {
	return Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}
}

// NewRegistry returns a registry with the metrics of the Go runtime and the process.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
