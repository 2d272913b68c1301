// Package events is the events service: it counts the uses of features.
//
// A call that names a feature is one use of it. RecordCalls stores each use once, under its time and messageId, and in the same
// transaction adds it to the sums of its day: by account, user, module and feature. Questions about usage are answered from these sums, so
// every figure is exact and counts all that was answered before.
//
// Which account a user belongs to is learned from the same calls and looked up when a question is asked, so that learning it moves
// nothing. The service asks no other service.
package events

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/backup"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/installation"
	"github.com/sojournhq/sojourn/internal/kit/maintenance"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/services/events/internal/bolt"
	"github.com/sojournhq/sojourn/services/events/internal/grpcapi"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// File is the name of the service's data file.
const File = "events.db"

// Config says where the service keeps its data.
type Config struct {
	// Dir is the directory of events.db; it is made if need be.
	Dir string
	// ReserveBytes is what is kept free on the disk for what makes room: calls are refused when less is. 0: boltdb.DefaultReserve; less
	// than that: nothing.
	ReserveBytes int64
	// ReadOnly opens data that exists for questions only, and changes nothing.
	ReadOnly bool
	// Maintenance is what the data files of the process share that are looked after. Nil: the file is compacted only when asked for.
	Maintenance *maintenance.Process
}

func (c Config) path() string { return filepath.Join(c.Dir, File) }

// Service is an open events service.
type Service struct {
	store usage.Store
	api   *grpcapi.API
	file  *boltdb.DB
	kept  *maintenance.Server
}

// Open opens the service's store. The caller closes the service.
func Open(_ context.Context, c Config, d observe.Deps) (*Service, error) {
	store, err := bolt.Open(boltdb.Options{Path: c.path(), OnFail: d.Fatal, ReadOnly: c.ReadOnly, ReserveBytes: c.ReserveBytes, Deps: d})
	if err != nil {
		return nil, err
	}
	api, err := grpcapi.New(store, d.Metrics)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("register metrics: %w", err), store.Close())
	}
	kept := maintenance.Open(store.File(), c.Maintenance, d.Log)
	return &Service{store: store, api: api, file: store.File(), kept: kept}, nil
}

// Register adds the service's RPCs to a server.
func (s *Service) Register(r grpc.ServiceRegistrar) {
	eventsv1.RegisterIngestServiceServer(r, s.api)
	eventsv1.RegisterQueryServiceServer(r, s.api)
	activityv1.RegisterActivityServiceServer(r, s.api)
	backup.Register(r, s.file)
	installation.Register(r, s.file)
	s.kept.Register(r)
}

// Workspaces returns the names of the workspaces that the service has anything of.
func (s *Service) Workspaces() ([]string, error) { return bolt.Workspaces(s.file) }

// Installation returns the installation that the store belongs to, empty if that is none yet.
func (s *Service) Installation() string { return s.file.Installation() }

// Close closes the store.
func (s *Service) Close() error {
	s.kept.Close()
	return s.store.Close()
}
