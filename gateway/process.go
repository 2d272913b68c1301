package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/sojournhq/sojourn/internal/kit/admin"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/heap"
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
	if g.tls == nil && !daemon.Loopback(l.HTTP) {
		g.log.WarnContext(ctx, "keys and calls are not encrypted on this port: set -tls-cert, or let something in front speak TLS")
	}
	defer heap.Reserve()()
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
	var said readiness
	group.Go(func() error {
		return admin.ServeUntil(running, admin.Secure(l.Admin, g.adminTLS), admin.Handler(metrics, func() error {
			if stopping.Load() {
				return errors.New("stopping")
			}
			probe, cancel := context.WithTimeout(running, readyTime)
			defer cancel()
			return said.note(probe, g.log, g.Ready(probe))
		}))
	})
	return group.Wait()
}

// readiness is what was last said of whether a gateway is ready, so that the log has it when that changes.
type readiness struct {
	mutex sync.Mutex
	last  string
}

func (r *readiness) note(ctx context.Context, log *slog.Logger, err error) error {
	now := ""
	if err != nil {
		now = err.Error()
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	switch {
	case now == r.last:
	case err != nil:
		log.WarnContext(ctx, "not ready", slog.Any("error", err))
	default:
		log.InfoContext(ctx, "ready again")
	}
	r.last = now
	return err
}
