// Package rpctest serves a service to its tests as it is served to everybody: over gRPC, with all interceptors, within the process.
package rpctest

import (
	"context"
	"testing"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

// Service is what is served, and closed when serving ends.
type Service interface {
	Register(grpc.ServiceRegistrar)
	Close() error
}

// Serve serves until stop is called or the test ends, and returns a connection to the service.
func Serve(tb testing.TB, service Service) (conn *grpc.ClientConn, stop func()) {
	tb.Helper()
	server, err := rpc.NewServer(observe.Discard())
	if err != nil {
		tb.Fatal(err)
	}
	service.Register(server)
	pipe := rpc.NewPipe()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.ServeUntil(ctx, ctx, pipe) }()
	if conn, err = pipe.Dial(); err != nil {
		tb.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = conn.Close()
		cancel()
		if err := <-served; err != nil {
			tb.Error(err)
		}
		if err := service.Close(); err != nil {
			tb.Error(err)
		}
	}
	tb.Cleanup(stop)
	return conn, stop
}
