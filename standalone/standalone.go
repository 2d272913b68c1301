// Package standalone runs the three services within one process.
//
// They are the very components that run as processes of their own elsewhere, with the same interceptors, statuses, retries and
// deadlines: only the network between them is a pipe in memory, and calls do not even take that (rpc: Direct).
package standalone

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/maintenance"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

// Config says where the services keep their data and what they need to know.
type Config struct {
	// Dir is the directory of all three data files; it is made if need be.
	Dir string
	// Workspaces has what the services are set to. Nil: nothing.
	Workspaces workspace.Provider
	// KeepChanges is for how long WatchSessions can go back. 0: the sessions service's default.
	KeepChanges time.Duration
	// ReserveBytes is what is kept free on the disk for what makes room: calls are refused when less is. 0: boltdb.DefaultReserve; less
	// than that: nothing.
	ReserveBytes int64
	// ReadOnly opens data that exists for questions only, and changes nothing.
	ReadOnly bool
	// Partial, for reading only, does without services whose data file is not in the directory and never was. At least one must be.
	Partial bool
	// Compact has data files made small when much of them is free. When asked to, they are in any case.
	Compact bool
}

// Stores is how many data files a suite writes to.
const Stores = 3

// Suite is the three services, open and serving in memory.
type Suite struct {
	backends gateway.Backends
	conns    []*grpc.ClientConn
	services []service // identity, events, sessions, as far as they are there
	missing  []string

	stop   context.CancelFunc
	served errgroup.Group
}

// Open opens the services and serves them. The caller closes the suite.
func Open(ctx context.Context, c Config, d observe.Deps) (*Suite, error) {
	if c.Workspaces == nil {
		c.Workspaces = &workspace.Config{}
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Suite{stop: stop}
	files := maintenance.NewProcess(c.Compact && !c.ReadOnly)
	components := []component{
		{"identity", &s.backends.Identity, func(d observe.Deps) (service, error) {
			return identity.Open(ctx, identity.Config{
				Dir: c.Dir, Settings: identity.SettingsOf(c.Workspaces), ReserveBytes: c.ReserveBytes, ReadOnly: c.ReadOnly,
				Maintenance: files,
			}, d)
		}},
		{"events", &s.backends.Events, func(d observe.Deps) (service, error) {
			return events.Open(ctx, events.Config{
				Dir: c.Dir, ReserveBytes: c.ReserveBytes, ReadOnly: c.ReadOnly, Maintenance: files,
			}, d)
		}},
		{"sessions", &s.backends.Sessions, func(d observe.Deps) (service, error) {
			return sessions.Open(ctx, sessions.Config{
				Dir: c.Dir, Settings: sessions.SettingsOf(c.Workspaces), KeepChanges: c.KeepChanges,
				ReserveBytes: c.ReserveBytes, ReadOnly: c.ReadOnly, Maintenance: files,
			}, d)
		}},
	}
	opened, err := s.openAll(components, c.Partial && c.ReadOnly, d)
	for i, of := range components {
		if err == nil && opened[i] != nil {
			*of.conn, err = s.serve(serving, opened[i], d.For(of.name))
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// service is one of the services, open.
type service interface {
	daemon.Service

	Workspaces() ([]string, error)
}

// component is one of the services.
type component struct {
	name string
	conn *grpc.ClientConnInterface
	open func(observe.Deps) (service, error)
}

// openAll opens the services at the same time: after a crash each has a log to read. It returns nil for those that could not be opened, and
// the first error, unless there may be fewer, and these were never there.
func (s *Suite) openAll(components []component, partial bool, d observe.Deps) ([]service, error) {
	opened, errs := make([]service, len(components)), make([]error, len(components))
	var all sync.WaitGroup
	for i, of := range components {
		all.Go(func() {
			open, err := of.open(d.For(of.name))
			if errs[i] = err; err == nil {
				opened[i] = open
			}
		})
	}
	all.Wait()
	for i, service := range opened {
		if service != nil {
			s.services = append(s.services, service)
		} else {
			s.missing = append(s.missing, components[i].name)
		}
	}
	never := func(err error) bool { return err == nil || errors.Is(err, fs.ErrNotExist) }
	if partial && len(s.services) > 0 && !slices.ContainsFunc(errs, func(err error) bool { return !never(err) }) {
		return opened, nil
	}
	return opened, cmp.Or(errs...)
}

// calls are the methods by which calls are written, thousands a second: the pipe would cost as much as all else that is done for them.
var calls = []string{
	identityv1.IngestService_RecordCalls_FullMethodName, eventsv1.IngestService_RecordCalls_FullMethodName,
	sessionsv1.IngestService_RecordCalls_FullMethodName,
}

func (s *Suite) serve(ctx context.Context, service daemon.Service, d observe.Deps) (grpc.ClientConnInterface, error) {
	server, err := rpc.NewServer(d)
	if err != nil {
		return nil, err
	}
	service.Register(server)
	pipe := rpc.NewPipe()
	s.served.Go(func() error {
		drain, end := daemon.Drain(ctx, func() {})
		defer end()
		return server.ServeUntil(ctx, drain, pipe)
	})
	conn, err := pipe.Dial(rpc.Traced(d)...)
	if err != nil {
		return nil, err
	}
	s.conns = append(s.conns, conn)
	if d.Traces != nil { // whose spans are made where the wire is
		return conn, nil
	}
	return server.Direct(conn, calls...), nil
}

// Backends returns connections to the services, good until Close. Those to services that are not there are nil.
func (s *Suite) Backends() gateway.Backends { return s.backends }

// Missing names the services that are not there: none, unless there may be fewer.
func (s *Suite) Missing() []string { return s.missing }

// Workspaces returns the names of the workspaces that any of the services has anything of, sorted.
func (s *Suite) Workspaces() (all []string, err error) {
	for _, service := range s.services {
		names, ofService := service.Workspaces()
		all, err = append(all, names...), errors.Join(err, ofService)
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// Close stops the services once the calls under way are answered, and closes their stores.
func (s *Suite) Close() error {
	var errs []error
	for _, conn := range s.conns {
		errs = append(errs, conn.Close())
	}
	s.stop()
	errs = append(errs, s.served.Wait())
	for _, service := range s.services {
		errs = append(errs, service.Close())
	}
	return errors.Join(errs...)
}
