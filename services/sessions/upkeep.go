package sessions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

const (
	defaultSweepEvery = time.Second
	minutely          = time.Minute
	// Upkeep is done in transactions of this many rows, so that a million sessions falling due at once do not hold up writes.
	upkeepBatch = 1000
	// Timers are looked over at this pace: ten million sessions in under two minutes, at a few percent of a processor.
	mendEvery = 10 * time.Millisecond
)

// upkeep does in the background what the store needs to have done from time to time.
type upkeep struct {
	store session.Upkeep
	now   func() time.Time
	every time.Duration // between sweeps
	keep  time.Duration // for changes
	log   *slog.Logger
	// swept is when ends were last looked for without a failure, in milliseconds.
	swept atomic.Int64

	fired, mended, trimmed prometheus.Counter
}

func newUpkeep(store session.Upkeep, now func() time.Time, c Config, d observe.Deps) (*upkeep, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "sojourn_sessions_" + name, Help: help})
	}
	u := &upkeep{
		store: store, now: now, log: d.Log,
		every:   cmp.Or(c.SweepEvery, defaultSweepEvery),
		keep:    cmp.Or(c.KeepChanges, DefaultKeepChanges),
		fired:   counter("timers_fired_total", "Session timers that fell due and were handled."),
		mended:  counter("timers_mended_total", "Session timers that were set anew for the session's end as it was."),
		trimmed: counter("changes_trimmed_total", "Changes that were removed from the feed because of their age."),
	}
	u.swept.Store(now().UnixMilli())
	for _, c := range []prometheus.Counter{u.fired, u.mended, u.trimmed} {
		if err := d.Metrics.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return u, nil
}

// sweep ends sessions as they fall due and trims the feed, until ctx ends.
func (u *upkeep) sweep(ctx context.Context) {
	ticks := time.NewTicker(u.every)
	defer ticks.Stop()
	var trimmed time.Time
	for ctx.Err() == nil {
		now := u.now().UnixMilli()
		looked, err := u.store.EndDue(ctx, now, upkeepBatch)
		if err == nil {
			u.swept.Store(now)
		}
		u.fired.Add(float64(looked))
		u.report(ctx, "timers", err)
		if err == nil && looked == upkeepBatch {
			continue
		}
		if time.Since(trimmed) >= minutely {
			trimmed = time.Now()
			u.trim(ctx)
		}
		pause(ctx, ticks)
	}
}

func (u *upkeep) trim(ctx context.Context) {
	before := u.now().Add(-u.keep).UnixMilli()
	for more := true; more && ctx.Err() == nil; {
		removed, err := u.store.Trim(ctx, before, upkeepBatch)
		u.trimmed.Add(float64(removed))
		u.report(ctx, "the feed", err)
		more = removed == upkeepBatch
	}
}

// mend looks timers over at a start, and again whenever settings have changed, until ctx ends.
func (u *upkeep) mend(ctx context.Context) {
	u.mendOnce(ctx)
	ticks := time.NewTicker(u.every)
	defer ticks.Stop()
	for pause(ctx, ticks); ctx.Err() == nil; pause(ctx, ticks) {
		if u.store.NeedsMending() {
			u.mendOnce(ctx)
		}
	}
}

func (u *upkeep) mendOnce(ctx context.Context) {
	ticks := time.NewTicker(mendEvery)
	defer ticks.Stop()
	for from, first := []byte(nil), true; ctx.Err() == nil && (first || from != nil); first = false {
		mended, next, err := u.store.MendTimers(ctx, from, upkeepBatch)
		u.mended.Add(float64(mended))
		u.report(ctx, "missing timers", err)
		if err != nil {
			return
		}
		if from = next; from != nil {
			pause(ctx, ticks)
		}
	}
}

func (u *upkeep) report(ctx context.Context, of string, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		u.log.Error("upkeep failed", slog.String("of", of), slog.Any("error", err))
	}
}

// pause waits for the next tick, or the end of ctx.
func pause(ctx context.Context, ticks *time.Ticker) {
	select {
	case <-ctx.Done():
	case <-ticks.C:
	}
}
