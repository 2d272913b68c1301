package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

const (
	// Timers are counted once in so many sweeps, in short read transactions of so many timers, which hold up nobody.
	sweepsPerCount = 15
	countBatch     = 10_000
)

// load tells how many sessions run, and how far behind their ends are told.
type load struct {
	*upkeep

	active prometheus.Gauge
}

func newLoad(u *upkeep, to prometheus.Registerer) (*load, error) {
	l := &load{upkeep: u, active: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "sojourn_sessions_active",
		Help: "Sessions that wait for their end, or for a change to be told; counted every 15 seconds.",
	})}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sojourn_sessions_timer_lag_seconds",
		Help: "For how long the oldest timer that has not been handled has been due; a second or two is as it should be.",
	}, func() float64 { return l.lag().Seconds() })
	for _, c := range []prometheus.Collector{l.active, lag} {
		if err := to.Register(c); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// lag is 0 when no timer is due, and when there is no looking any more. Where timers cannot be read it is the time since ends were last
// looked for: what is due since then waits.
func (l *load) lag() time.Duration {
	first, err := l.store.FirstDue(context.Background())
	switch {
	case errors.Is(err, boltdb.ErrClosed):
		return 0
	case err != nil:
		first = l.swept.Load()
	case first == 0:
		return 0
	}
	return max(0, l.now().Sub(time.UnixMilli(first)))
}

// count counts timers from time to time, until ctx ends.
func (l *load) count(ctx context.Context) {
	ticks := time.NewTicker(sweepsPerCount * l.every)
	defer ticks.Stop()
	for ; ctx.Err() == nil; pause(ctx, ticks) {
		total, from := 0, []byte(nil)
		for first := true; ctx.Err() == nil && (first || from != nil); first = false {
			counted, next, err := l.store.CountTimers(ctx, from, countBatch)
			if err != nil {
				l.report(ctx, "counting timers", err)
				break
			}
			total, from = total+counted, next
		}
		if from == nil {
			l.active.Set(float64(total))
		}
	}
}
