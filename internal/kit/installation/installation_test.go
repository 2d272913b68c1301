package installation_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/installation"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

var names = []string{"identity", "events", "sessions"}

// store is a service that has nothing but a store, and counts what is written to it.
type store struct {
	path string
	db   *boltdb.DB

	mutex  sync.Mutex
	writes int
}

// ingest is a service with one method that writes.
var ingest = grpc.ServiceDesc{ServiceName: "test.IngestService", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
	MethodName: "Write",
	Handler: func(srv any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		var in emptypb.Empty
		if err := decode(&in); err != nil {
			return nil, err
		}
		return intercept(ctx, &in, &grpc.UnaryServerInfo{FullMethod: "/test.IngestService/Write"}, func(context.Context, any) (any, error) {
			s := srv.(*store)
			s.mutex.Lock()
			defer s.mutex.Unlock()
			s.writes++
			return &emptypb.Empty{}, nil
		})
	},
}}}

func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{path: filepath.Join(t.TempDir(), "x.db")}
	s.open(t)
	return s
}

func (s *store) open(t *testing.T) {
	t.Helper()
	var err error
	if s.db, err = boltdb.Open(boltdb.Options{Path: s.path, Kind: "test", Format: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
}

// services are three of them, each of which another store can take the place of.
type services struct {
	t      *testing.T
	mu     sync.Mutex // guards pipes: a connection may be made while a server is replaced
	pipes  []rpc.Pipe
	stops  []func()
	stores []*store
}

func serve(t *testing.T, stores ...*store) *services {
	s := &services{t: t, pipes: make([]rpc.Pipe, len(stores)), stops: make([]func(), len(stores)), stores: stores}
	for i := range stores {
		s.start(i, true)
	}
	return s
}

// start serves a store; knows is false for a program of a version that knows nothing of installations.
func (s *services) start(i int, knows bool) {
	s.t.Helper()
	of := s.stores[i]
	guard := rpc.Guard{Installation: func() string { return of.db.Installation() }}
	if !knows {
		guard = rpc.Guard{}
	}
	server, err := rpc.NewGuarded(observe.Discard(), guard)
	if err != nil {
		s.t.Fatal(err)
	}
	server.RegisterService(&ingest, of)
	if knows {
		installation.Register(server, of.db)
	}
	pipe := rpc.NewPipe()
	s.mu.Lock()
	s.pipes[i] = pipe
	s.mu.Unlock()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.ServeUntil(ctx, ctx, pipe) }()
	s.stops[i] = sync.OnceFunc(func() {
		stop()
		if err := <-served; err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(s.stops[i])
}

// replace puts another store in the place of one.
func (s *services) replace(i int, with *store) {
	s.stops[i]()
	s.stores[i] = with
	s.start(i, true)
}

// gateway is what asks the services.
type gateway struct {
	*installation.Agreement

	t     *testing.T
	conns []*grpc.ClientConn
	log   *strings.Builder
}

func (s *services) gateway() *gateway {
	s.t.Helper()
	g := &gateway{t: s.t, log: &strings.Builder{}}
	g.Agreement = installation.New(slog.New(slog.NewTextHandler(g.log, nil)))
	for i, name := range names {
		// The pipe is looked up at each connection, for another server may have taken the place of the one before.
		conn, err := rpc.Dial("passthrough:///"+name, append(g.Options(), s.dialer(i))...)
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { _ = conn.Close() })
		g.conns = append(g.conns, conn)
		g.Add(name, conn)
	}
	return g
}

// write writes to a service.
func (g *gateway) write(i int) error {
	return g.conns[i].Invoke(g.t.Context(), "/test.IngestService/Write", &emptypb.Empty{}, &emptypb.Empty{})
}

func (s *services) ids() (ids []string) {
	for _, of := range s.stores {
		ids = append(ids, of.db.Installation())
	}
	return ids
}

// together fails unless all stores belong to one installation.
func (s *services) together() string {
	s.t.Helper()
	ids := s.ids()
	if ids[0] == "" || ids[1] != ids[0] || ids[2] != ids[0] {
		s.t.Errorf("installations %q", ids)
	}
	return ids[0]
}

func TestStoresThatBelongToNoInstallationJoinOneAtTheFirstWriteAndStayInIt(t *testing.T) {
	s := serve(t, newStore(t), newStore(t), newStore(t))
	if err := s.gateway().write(2); err != nil {
		t.Fatal(err)
	}
	id := s.together()
	for i := range s.stores {
		s.stops[i]()
		if err := s.stores[i].db.Close(); err != nil {
			t.Fatal(err)
		}
		s.stores[i].open(t)
		s.start(i, true)
	}
	if err := s.gateway().Agree(t.Context()); err != nil || s.together() != id {
		t.Errorf("after a restart: %v, %q, want %q", err, s.ids(), id)
	}
}

func TestGatewaysThatBeginAtOnceAgree(t *testing.T) {
	s := serve(t, newStore(t), newStore(t), newStore(t))
	var all sync.WaitGroup
	for range 8 {
		g := s.gateway()
		all.Go(func() {
			if err := g.Agree(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s.together()
}

func TestAStoreFromBeforeThereWereInstallationsJoinsThatOfTheOthers(t *testing.T) {
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			s := serve(t, newStore(t), newStore(t), newStore(t))
			if err := s.gateway().Agree(t.Context()); err != nil {
				t.Fatal(err)
			}
			id := s.together()
			s.replace(i, newStore(t)) // as restored from a backup of then
			if err := s.gateway().Agree(t.Context()); err != nil || s.together() != id {
				t.Errorf("%v, %q, want %q", err, s.ids(), id)
			}
		})
	}
}

func TestAStoreOfAnotherInstallationIsRefusedAndTheLogSaysWhich(t *testing.T) {
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			foreign := newStore(t)
			if _, err := foreign.db.Join(t.Context(), "another"); err != nil {
				t.Fatal(err)
			}
			s := serve(t, newStore(t), newStore(t), newStore(t))
			g := s.gateway()
			if err := g.write(i); err != nil {
				t.Fatal(err)
			}
			own := s.stores[i]
			s.replace(i, foreign)
			for range 2 { // once refused by the store, once by the gateway
				if err := g.write(i); status.Code(err) != codes.Unavailable {
					t.Errorf("a write is answered %v", err)
				}
			}
			if err := g.Agree(t.Context()); !errors.Is(err, installation.ErrMixed) || !strings.Contains(err.Error(), names[max(i, 1)]) {
				t.Errorf("error %v", err)
			}
			if log := g.log.String(); strings.Count(log, "no calls are taken") != 1 {
				t.Errorf("log: %s", log)
			}
			if foreign.writes != 0 || foreign.db.Installation() != "another" {
				t.Errorf("%d writes reached it, it belongs to %q", foreign.writes, foreign.db.Installation())
			}
			s.replace(i, own)
			if err := g.write(i); err != nil {
				t.Errorf("with the right store again: %v", err)
			}
		})
	}
}

func TestAllStoresOfAnotherInstallationAreTakenAsAfterARestore(t *testing.T) {
	s := serve(t, newStore(t), newStore(t), newStore(t))
	g := s.gateway()
	if err := g.write(0); err != nil {
		t.Fatal(err)
	}
	for i := range names {
		other := newStore(t)
		if _, err := other.db.Join(t.Context(), "another"); err != nil {
			t.Fatal(err)
		}
		s.replace(i, other)
	}
	_ = g.write(0) // is refused by the store, and then the services are asked anew
	if err := g.write(0); err != nil || s.together() != "another" {
		t.Errorf("%v, %q", err, s.ids())
	}
}

func TestServicesOfAnOlderVersionArePassedOver(t *testing.T) {
	s := serve(t, newStore(t), newStore(t), newStore(t))
	for i := range names {
		s.stops[i]()
		s.start(i, false)
	}
	g := s.gateway()
	if err := g.write(1); err != nil {
		t.Fatal(err)
	}
	for i := range names {
		s.stops[i]()
		s.start(i, true)
		if err := errors.Join(g.Agree(t.Context()), g.write(i)); err != nil {
			t.Errorf("once %s is new: %v", names[i], err)
		}
	}
	s.together()
}
