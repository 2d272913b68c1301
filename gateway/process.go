package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/sojournhq/sojourn/internal/kit/admin"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

// readyTime is how long a readiness probe waits for the services.
const readyTime = time.Second

// Listeners are the ports of a process with a gateway.
type Listeners struct {
	// HTTP is for calls and questions, Admin for those who look after the process.
	HTTP, Admin net.Listener
}

// Listen opens both ports. Serve closes them.
func Listen(ctx context.Context, httpAddr, adminAddr string) (Listeners, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", httpAddr)
	if err != nil {
		return Listeners{}, fmt.Errorf("listen for HTTP: %w", err)
	}
	adminListener, err := config.Listen(ctx, "tcp", adminAddr)
	if err != nil {
		return Listeners{}, errors.Join(fmt.Errorf("listen for admin: %w", err), l.Close())
	}
	return Listeners{HTTP: l, Admin: adminListener}, nil
}

// Serve serves both ports until ctx ends. Then it says that it is not ready and, for linger, goes on serving all the same, so that whoever
// sends it requests has time to hear of it; each answer asks its client to leave. After that it answers what is under way, and returns.
func (g *Gateway) Serve(ctx context.Context, linger time.Duration, l Listeners, metrics prometheus.Gatherer) error {
	var stopping atomic.Bool
	serving, endServing := lingering(ctx, linger, func() {
		stopping.Store(true)
		g.leaving.Store(true)
	})
	defer endServing()
	drain, endDrain := daemon.Drain(serving, func() {})
	defer endDrain()
	group, running := errgroup.WithContext(serving)
	group.Go(func() error { return g.ServeUntil(running, drain, l.HTTP) })
	group.Go(func() error {
		return admin.ServeUntil(running, l.Admin, admin.Handler(metrics, func() error {
			if stopping.Load() {
				return errors.New("stopping")
			}
			probe, cancel := context.WithTimeout(running, readyTime)
			defer cancel()
			return g.Ready(probe)
		}))
	})
	return group.Wait()
}

// lingering returns a context that ends linger after ctx has ended, and calls onEnd when ctx ends. The returned function releases it.
func lingering(ctx context.Context, linger time.Duration, onEnd func()) (context.Context, func()) {
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	stopWatching := context.AfterFunc(ctx, func() {
		onEnd()
		time.AfterFunc(linger, end)
	})
	return serving, func() { stopWatching(); end() }
}
