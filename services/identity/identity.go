// Package identity is the identity service: it knows every call, and from the calls the users and the accounts.
//
// The gateway asks it first. RecordCalls enters each call into a ledger under the call's own timestamp and messageId; only a call that
// is not there yet has effects, so every copy after the first changes nothing. In the same transaction a new call's traits are merged
// into its user (identify) or account (group), field by field, the latest event time standing; what it says about which user belongs to
// which account is learned; and the books count what became of it. The answer tells each call's event time, which the other services
// need.
//
// Rejected calls are counted in the same books, and the last ones kept for a while with what was sent, to be looked at. And who watches
// calls is told of each, with what became of it, as soon as it is durable.
//
// What is stored are the fields as they were sent. What the contract's traits say, which problems there are, and which account a user
// without one is listed under are worked out when a question is asked, by the settings and the calls known by then. So nothing stored
// depends on the order of calls, and new settings need nothing sent again. The service asks no other service.
package identity

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
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/bolt"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/grpcapi"
)

// Config says where the service keeps its data and what its workspaces are set to.
type Config struct {
	// Dir is the directory of identity.db; it is made if need be.
	Dir string
	// Settings returns the settings of a workspace, from many goroutines. It is asked at every question, so that what it returns may
	// change while the service runs. Nil: no workspace sets anything.
	Settings func(workspace string) Settings
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

// Service is an open identity service.
type Service struct {
	store directory.Store
	api   *grpcapi.API
	file  *boltdb.DB
	kept  *maintenance.Server

	stop    context.CancelFunc
	working sync.WaitGroup
}

// Open opens the service's store and starts its upkeep. The caller closes the service.
func Open(_ context.Context, c Config, d observe.Deps) (*Service, error) {
	settings, now := c.Settings, c.Now
	if settings == nil {
		settings = SettingsOf(&workspace.Config{})
	}
	if now == nil {
		now = time.Now
	}
	store, err := bolt.Open(boltdb.Options{
		Path: filepath.Join(c.Dir, File), OnFail: d.Fatal, ReadOnly: c.ReadOnly, ReserveBytes: c.ReserveBytes, Deps: d,
	})
	if err != nil {
		return nil, err
	}
	upkeep, err := newUpkeep(store, settings, now, d)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	working, stop := context.WithCancel(context.Background())
	s := &Service{store: store, api: grpcapi.New(store, settings, now), file: store.File(), stop: stop}
	s.kept = maintenance.Open(s.file, c.Maintenance, d.Log)
	if !c.ReadOnly {
		s.working.Go(func() { upkeep.run(working) })
	}
	return s, nil
}

// Register adds the service's RPCs to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	identityv1.RegisterIngestServiceServer(r, s.api)
	identityv1.RegisterQueryServiceServer(r, s.api)
	backup.Register(r, s.file)
	installation.Register(r, s.file)
	s.kept.Register(r)
}

// Workspaces returns the names of the workspaces that the service has anything of.
func (s *Service) Workspaces() ([]string, error) { return bolt.Workspaces(s.file) }

// Installation returns the installation that the store belongs to, empty if that is none yet.
func (s *Service) Installation() string { return s.file.Installation() }

// Close stops the upkeep, and closes the store once writes under way are done.
func (s *Service) Close() error {
	s.stop()
	s.kept.Close()
	s.working.Wait()
	return s.store.Close()
}
