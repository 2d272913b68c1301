package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

const (
	// trimEvery is how long a rejected call may stay on disk after its time; it is not shown any more at once.
	trimEvery = time.Minute
	// trimAtOnce is how many are removed in one transaction.
	trimAtOnce = 100
)

// upkeep removes rejected calls when their time is over, also where no others come.
type upkeep struct {
	store    directory.Store
	settings func(workspace string) Settings
	now      func() time.Time
	log      *slog.Logger
	trimmed  prometheus.Counter
}

func newUpkeep(store directory.Store, settings func(string) Settings, now func() time.Time, d observe.Deps) (*upkeep, error) {
	u := &upkeep{store: store, settings: settings, now: now, log: d.Log, trimmed: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "sojourn_identity_rejected_calls_trimmed_total", Help: "Rejected calls that upkeep removed because their time was over.",
	})}
	if err := d.Metrics.Register(u.trimmed); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return u, nil
}

// run trims from time to time until ctx ends.
func (u *upkeep) run(ctx context.Context) {
	ticks := time.NewTicker(trimEvery)
	defer ticks.Stop()
	for ctx.Err() == nil {
		if err := u.trim(ctx); err != nil && ctx.Err() == nil {
			u.log.Error("upkeep failed", slog.String("of", "rejected calls"), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
	}
}

// trim removes what is over in every workspace. What cannot be read in one of them costs only that one.
func (u *upkeep) trim(ctx context.Context) error {
	workspaces, err := u.store.Workspaces(ctx)
	for _, workspace := range workspaces {
		settings := u.settings(workspace)
		for removed := trimAtOnce; removed == trimAtOnce; {
			var failed error
			removed, failed = u.store.TrimKept(ctx, workspace, settings.KeepFromMS(u.now()), trimAtOnce)
			u.trimmed.Add(float64(removed))
			err = errors.Join(err, failed)
		}
	}
	return err
}
