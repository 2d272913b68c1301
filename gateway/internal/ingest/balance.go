package ingest

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// balance counts what comes in and what is sent back to be sent again, so that whoever watches can see that the books balance: at rest,
// received = accepted + duplicate + filtered + rejected + unsettled. What is missing there had an outcome that nobody was told.
type balance struct {
	received, unsettled *prometheus.CounterVec
}

func newBalance() balance {
	counter := func(name, help string) *prometheus.CounterVec {
		o := prometheus.CounterOpts{Name: "sojourn_gateway_calls_" + name, Help: help}
		return prometheus.NewCounterVec(o, []string{"workspace", "source"})
	}
	return balance{
		received:  counter("received_total", "Calls that came in from known sources, every attempt counted."),
		unsettled: counter("unsettled_total", "Calls among them that were answered to be sent again: a service was away, late or wrong."),
	}
}

func (b balance) register(to prometheus.Registerer) error {
	return errors.Join(to.Register(b.received), to.Register(b.unsettled))
}

// receive counts calls, and returns what is to be told whether they have an outcome. A panic leaves them without one.
func (b balance) receive(s *source, calls int) func(settled *bool) {
	b.received.WithLabelValues(s.workspace, s.rules.Source).Add(float64(calls))
	unsettled := b.unsettled.WithLabelValues(s.workspace, s.rules.Source) // there from the first call on, so that sums have all they need
	return func(settled *bool) {
		if !*settled {
			unsettled.Add(float64(calls))
		}
	}
}
