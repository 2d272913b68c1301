// Package sessions is the sessions service: it turns calls into sessions and tells how much time was spent where.
//
// A call that has an anonymousId is a point of activity. RecordCalls stores points, and in the same transaction brings the sessions
// they touch up to date: a point that comes in order extends the newest session of its anonymousId; a late one divides a pause of the
// session that it falls into, or where it may change more, makes the run of sessions it is connected to be walked again. So the
// sessions are always those of the set of points, in whatever order these came. Each running session has a durable timer; a background
// loop marks those whose timeout has passed as ended, after a restart at once.
//
// Which account a user belongs to is learned from the same calls and looked up when a question is asked, so that learning it moves
// nothing. The service asks no other service.
package sessions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
	"github.com/sojournhq/sojourn/services/sessions/internal/grpcapi"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Config says where the service keeps its data.
type Config struct {
	// Dir is the directory of sessions.db; it is made if need be.
	Dir string
	// ReadOnly opens data that exists for questions only, and changes nothing.
	ReadOnly bool
}

const (
	sweepEvery = time.Second
	// Timers are handled in transactions of this many, so that a million falling due at once does not hold up writes.
	sweepBatch = 1000
)

// Service is an open sessions service.
type Service struct {
	store session.Store
	api   *grpcapi.API
	log   *slog.Logger
	looks prometheus.Counter

	stop  context.CancelFunc
	swept sync.WaitGroup
}

// Open opens the service's store and starts its timers. The caller closes the service.
func Open(_ context.Context, c Config, d observe.Deps) (*Service, error) {
	store, err := bolt.Open(boltdb.Options{
		Path: filepath.Join(c.Dir, "sessions.db"), OnFail: d.Fatal, ReadOnly: c.ReadOnly,
	}, session.DefaultRules())
	if err != nil {
		return nil, err
	}
	s := &Service{
		store: store,
		api:   grpcapi.New(store),
		log:   d.Log,
		looks: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sojourn_sessions_timers_fired_total", Help: "Session timers that fell due and were handled.",
		}),
	}
	if err := d.Metrics.Register(s.looks); err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics: %w", err), store.Close())
	}
	sweeping, stop := context.WithCancel(context.Background())
	s.stop = stop
	if !c.ReadOnly {
		s.swept.Go(func() { s.sweep(sweeping) })
	}
	return s, nil
}

// Register adds the service's RPCs to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	sessionsv1.RegisterIngestServiceServer(r, s.api)
	sessionsv1.RegisterQueryServiceServer(r, s.api)
}

// Close stops the timers and closes the store.
func (s *Service) Close() error {
	s.stop()
	s.swept.Wait()
	return s.store.Close()
}

// sweep ends sessions as they fall due, until ctx ends.
func (s *Service) sweep(ctx context.Context) {
	ticks := time.NewTicker(sweepEvery)
	defer ticks.Stop()
	for {
		looked, err := s.store.EndDue(ctx, time.Now().UnixMilli(), sweepBatch)
		s.looks.Add(float64(looked))
		if err != nil && ctx.Err() == nil {
			s.log.Error("ending sessions failed", slog.Any("error", err))
		}
		if looked == sweepBatch && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}
