package main

import (
	"context"
	"errors"
	"log/slog"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/installation"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

// serve runs the gateway until ctx ends, then drains it.
func serve(ctx context.Context, s settings, opened secured, log *slog.Logger) (err error) {
	registry := observe.NewRegistry()
	traces, flush, err := observe.NewTraces(ctx, "gatewayd", log)
	if err != nil {
		return err
	}
	defer flush()
	deps := observe.Deps{Log: log, Metrics: registry, Traces: traces}.For("gateway")
	workspaces, err := workspace.Watch(s.workspaces, deps.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, workspaces.Close()) }()
	together := installation.New(deps.Log)
	backends, closeBackends, err := dial(s, opened.caller, together, deps)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeBackends()) }()
	g, err := gateway.Open(ctx, gateway.Config{
		Workspaces: workspaces, MaxCallBytes: s.callBytes, MaxBatchBytes: s.batchBytes, MaxDeliveryBytes: s.deliveryBytes,
		Deadline: s.deadline, Limits: s.limits, PublicURL: s.publicURL.URL, RefuseCalls: s.refuseCalls, Check: together.Agree,
		TLS: opened.listeners.Main, AdminTLS: opened.listeners.Admin,
	}, backends, deps)
	if err != nil {
		return err
	}
	l, err := gateway.Listen(ctx, s.listen, s.admin)
	if err != nil {
		return err
	}
	log.Info("ready", slog.String("http", l.HTTP.Addr().String()), slog.String("admin", l.Admin.Addr().String()))
	return g.Serve(ctx, s.linger, l, registry)
}

// dial returns connections to the services, whose stores must belong together, and a function that closes them.
func dial(s settings, as rpc.Caller, together *installation.Agreement, d observe.Deps) (gateway.Backends, func() error, error) {
	conns := make([]*grpc.ClientConn, 0, 3)
	closeAll := func() error {
		var err error
		for _, conn := range conns {
			err = errors.Join(err, conn.Close())
		}
		return err
	}
	for _, service := range []struct{ name, target string }{{"identity", s.identity}, {"events", s.events}, {"sessions", s.sessions}} {
		conn, err := as.Dial(service.name, service.target, d, together.Options()...)
		if err != nil {
			return gateway.Backends{}, nil, errors.Join(err, closeAll())
		}
		conns = append(conns, conn)
		together.Add(service.name, conn)
	}
	return gateway.Backends{Identity: conns[0], Events: conns[1], Sessions: conns[2]}, closeAll, nil
}
