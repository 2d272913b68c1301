// Package sessions is the sessions service: it turns calls into sessions and tells how much time was spent where.
//
// A call that has an anonymousId is a point of activity. RecordCalls stores points, and in the same transaction brings the sessions
// they touch up to date: a point that comes in order extends the newest session of its anonymousId; a late one divides a pause of the
// session that it falls into, or where it may change more, makes the run of sessions it is connected to be walked again. So the
// sessions are always those of the set of points, in whatever order these came. So are the daily sums of time by account, user and module,
// which QueryTime adds up.
//
// Each running session has a durable timer. A background loop ends those whose timeout has passed, after a restart at once, and tells of
// them in a feed, with a revision; a late point that changes a session after that draws a new revision, and it is told again.
// WatchSessions reads the feed from any cursor on.
//
// Which account a user belongs to is learned from the same calls and looked up when a question is asked, so that learning it moves
// nothing. The service asks no other service.
package sessions

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/backup"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/installation"
	"github.com/sojournhq/sojourn/internal/kit/maintenance"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
	"github.com/sojournhq/sojourn/services/sessions/internal/grpcapi"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// File is the name of the service's data file.
const File = "sessions.db"

// Config says where the service keeps its data and what its workspaces are set to.
type Config struct {
	// Dir is the directory of sessions.db; it is made if need be.
	Dir string
	// Settings returns the settings of a workspace, from many goroutines. It is asked with every request, so that what it returns may
	// change while the service runs: it applies to what ends from then on. Nil: the defaults for all.
	Settings func(workspace string) Settings
	// KeepChanges is for how long WatchSessions can go back. 0: DefaultKeepChanges.
	KeepChanges time.Duration
	// SweepEvery is how long an end may wait to be noticed. 0: a second.
	SweepEvery time.Duration
	// ReserveBytes is what is kept free on the disk for what makes room: calls are refused when less is. 0: boltdb.DefaultReserve; less
	// than that: nothing.
	ReserveBytes int64
	// ReadOnly opens data that exists for questions only, and changes nothing.
	ReadOnly bool
	// Maintenance is what the data files of the process share that are looked after. Nil: the file is compacted only when asked for.
	Maintenance *maintenance.Process
	// Now tells the time. Nil: time.Now.
	Now func() time.Time
}

// DefaultKeepChanges is for how long WatchSessions can go back.
const DefaultKeepChanges = 30 * 24 * time.Hour

// Settings decide where sessions end and how pauses count.
type Settings = session.Rules

// SettingsOf returns the settings of each workspace, as Config takes them. They change with the configuration.
func SettingsOf(from workspace.Provider) func(workspace string) Settings {
	return workspace.Each(from, func(w *workspace.Workspace) Settings {
		set := w.Sessions()
		return Settings{
			TimeoutMS: set.Timeout.Milliseconds(), IdleCapMS: set.IdleCap.Milliseconds(), MaxMS: set.Max.Milliseconds(),
		}
	})
}

// Service is an open sessions service.
type Service struct {
	store  session.Store
	api    *grpcapi.API
	file   *boltdb.DB
	kept   *maintenance.Server
	upkeep *upkeep

	stop    context.CancelFunc
	working sync.WaitGroup
}

// Open opens the service's store and starts its upkeep. The caller closes the service.
func Open(_ context.Context, c Config, d observe.Deps) (*Service, error) {
	if c.KeepChanges < 0 {
		return nil, errors.New("changes cannot be kept for less than no time")
	}
	settings, now := c.Settings, c.Now
	if settings == nil {
		settings = SettingsOf(&workspace.Config{})
	}
	if now == nil {
		now = time.Now
	}
	store, err := bolt.Open(boltdb.Options{
		Path: filepath.Join(c.Dir, File), OnFail: d.Fatal, ReadOnly: c.ReadOnly, ReserveBytes: c.ReserveBytes, Deps: d,
	}, settings)
	if err != nil {
		return nil, err
	}
	s := &Service{store: store, api: grpcapi.New(store, now), file: store.File()}
	if s.upkeep, err = newUpkeep(store, now, c, d); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	load, err := newLoad(s.upkeep, d.Metrics)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	working, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.kept = maintenance.Open(s.file, c.Maintenance, d.Log)
	if !c.ReadOnly {
		s.working.Go(func() { s.upkeep.sweep(working) })
		s.working.Go(func() { s.upkeep.mend(working) })
		s.working.Go(func() { load.count(working) })
	}
	return s, nil
}

// Register adds the service's RPCs to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	sessionsv1.RegisterIngestServiceServer(r, s.api)
	sessionsv1.RegisterQueryServiceServer(r, s.api)
	activityv1.RegisterActivityServiceServer(r, s.api)
	sessionsv1.RegisterAdminServiceServer(r, s.api)
	backup.Register(r, s.file)
	installation.Register(r, s.file)
	s.kept.Register(r)
}

// Workspaces returns the names of the workspaces that the service has anything of.
func (s *Service) Workspaces() ([]string, error) { return bolt.Workspaces(s.file) }

// Installation returns the installation that the store belongs to, empty if that is none yet.
func (s *Service) Installation() string { return s.file.Installation() }

// Close stops the upkeep and closes the store.
func (s *Service) Close() error {
	s.stop()
	s.kept.Close()
	s.working.Wait()
	return s.store.Close()
}
