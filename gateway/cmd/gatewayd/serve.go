package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/admin"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

// readyTime is how long a readiness probe waits for the services.
const readyTime = time.Second

// serve runs the gateway until ctx ends, then drains it.
func serve(ctx context.Context, s settings, log *slog.Logger) (err error) {
	registry := observe.NewRegistry()
	deps := observe.Deps{Log: log, Metrics: registry}.For("gateway")
	workspaces, err := workspace.Load(s.workspaces)
	if err != nil {
		return err
	}
	backends, closeBackends, err := dial(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeBackends()) }()
	g, err := gateway.Open(ctx, gateway.Config{
		Workspaces: workspaces, MaxCallBytes: s.callBytes, MaxBatchBytes: s.batchBytes, Deadline: s.deadline,
	}, backends, deps)
	if err != nil {
		return err
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	adminListener, err := listen.Listen(ctx, "tcp", s.admin)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for admin: %w", err), l.Close())
	}
	log.Info("ready", slog.String("http", l.Addr().String()), slog.String("admin", adminListener.Addr().String()))

	var stopping atomic.Bool
	drain, endDrain := daemon.Drain(ctx, func() { stopping.Store(true) })
	defer endDrain()
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return gateway.ServeUntil(running, drain, l, g.Handler()) })
	group.Go(func() error {
		return admin.ServeUntil(running, adminListener, admin.Handler(registry, func() error { return ready(running, g, &stopping) }))
	})
	return group.Wait()
}

// ready says whether the process wants traffic.
func ready(ctx context.Context, g *gateway.Gateway, stopping *atomic.Bool) error {
	if stopping.Load() {
		return errors.New("stopping")
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	return g.Ready(ctx)
}

// dial returns connections to the services and a function that closes them.
func dial(s settings) (gateway.Backends, func() error, error) {
	conns := make([]*grpc.ClientConn, 0, 3)
	closeAll := func() error {
		var err error
		for _, conn := range conns {
			err = errors.Join(err, conn.Close())
		}
		return err
	}
	for _, target := range []string{s.identity, s.events, s.sessions} {
		conn, err := rpc.Dial(target)
		if err != nil {
			return gateway.Backends{}, nil, errors.Join(err, closeAll())
		}
		conns = append(conns, conn)
	}
	return gateway.Backends{Identity: conns[0], Events: conns[1], Sessions: conns[2]}, closeAll, nil
}
