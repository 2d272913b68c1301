// Package gateway is Sojourn's edge: Segment's calls come in by it, and questions are asked of it, over HTTP on one port.
//
// A call posted to /v1/… is read strictly (internal/segment), its sender known by the write key (internal/ingest), and handed to the
// services over gRPC (internal/fanout): first to identity, whose ledger decides whether it is new and at what time it counts, then to
// events and sessions side by side. The answer is 200 when all three have it on disk, and otherwise tells the sender to try again, which
// is safe at any time: the services recognise what they have. Questions go to the query services of the same three, with a bearer token
// in place of the write key (internal/query). The gateway itself keeps nothing, so any number of it can run.
package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/internal/kit/streams"

	"github.com/sojournhq/sojourn/gateway/internal/group"
	"github.com/sojournhq/sojourn/gateway/internal/ingest"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/query"
)

// What Config means where it says 0.
const (
	DefaultMaxCallBytes  = 32 << 10
	DefaultMaxBatchBytes = 500 << 10
	// DefaultMaxDeliveryBytes has room for the 4 MB that Segment puts into one delivery of many calls.
	DefaultMaxDeliveryBytes = 5 << 20
	// DefaultDeadline leaves a second of the five after which Segment gives up.
	DefaultDeadline = 4 * time.Second
)

const (
	// maxStreams is how many answers may go on at once until their clients leave.
	maxStreams = 1024
	// bodiesAtOnce is how many of the longest bodies there must be memory for: one may take twice its length, and no workspace gets all.
	bodiesAtOnce = 4
	// sendTime is how long a client may take to read an answer or a message; less than a stopping process waits for its last answers.
	sendTime = 5 * time.Second
)

// Config is what a gateway needs to know.
type Config struct {
	// Workspaces says who may write and read, and is asked at every request: who is taken out of it is refused at once. Required.
	Workspaces workspace.Provider
	// MaxCallBytes is how long the JSON of one call may be, MaxBatchBytes how long the body of a client's batch, and MaxDeliveryBytes that
	// of an array of calls which Segment delivers. 0: the default.
	MaxCallBytes, MaxBatchBytes, MaxDeliveryBytes int
	// Deadline is how long the services may take for one request, all together. 0: the default.
	Deadline time.Duration
	// Limits is how much is taken on at once. What is 0 is the default.
	Limits Limits
	// PublicURL is where clients reach the gateway, as the flag PublicURL reads it, for the settings that tell them. Nil: where it listens,
	// if that is a loopback address; else they are told nothing.
	PublicURL *url.URL
	// RefuseCalls answers every call with 503, as if the services were away, and queries as ever. The gateway is ready meanwhile, whatever
	// becomes of the services: senders are to hear when to try again.
	RefuseCalls bool
	// Check says what else must hold for the gateway to be ready: nil, or what is wrong. Nil: nothing else.
	Check func(context.Context) error
	// DataDir is where commands on this machine find the keys of the first start, if not where they look by themselves: lines in the log
	// that name a command say so.
	DataDir string
	// TLS is how the gateway's port is encrypted, AdminTLS how the admin port is. Nil: not at all.
	TLS, AdminTLS *tls.Config
}

// Limits is how much a gateway takes on at once, of all workspaces together.
type Limits = limit.Config

// Backends are connections to the services. They stay the caller's, who closes them after the last request.
type Backends struct {
	Identity, Events, Sessions grpc.ClientConnInterface
}

// Gateway takes calls and questions. Use Open.
type Gateway struct {
	mux      *http.ServeMux
	calls    *ingest.Door
	backends Backends
	streams  *streams.Group
	limits   *limit.Limits
	refuses  bool // calls
	check    func(context.Context) error
	leaving  atomic.Bool // its process is about to stop
	log      *slog.Logger

	tls, adminTLS *tls.Config
}

// Open returns a gateway that does not listen yet: serve its Handler. It fails when the metrics of another gateway are registered with d.
func Open(_ context.Context, c Config, b Backends, d observe.Deps) (*Gateway, error) {
	if c.Workspaces == nil {
		return nil, errors.New("open gateway: no workspaces")
	}
	deadline := cmp.Or(c.Deadline, DefaultDeadline)
	longest := cmp.Or(c.MaxDeliveryBytes, DefaultMaxDeliveryBytes)
	if memory := cmp.Or(c.Limits.BodyBytes, limit.DefaultBodyBytes); memory < bodiesAtOnce*longest {
		return nil, fmt.Errorf("open gateway: %d bytes for bodies are less than %d deliveries of %d", memory, bodiesAtOnce, longest)
	}
	limits, err := limit.New(c.Limits, d.Metrics)
	if err != nil {
		return nil, fmt.Errorf("open gateway: %w", err)
	}
	door, err := ingest.New(ingest.Config{
		Workspaces:       c.Workspaces,
		MaxCallBytes:     cmp.Or(c.MaxCallBytes, DefaultMaxCallBytes),
		MaxBatchBytes:    cmp.Or(c.MaxBatchBytes, DefaultMaxBatchBytes),
		MaxDeliveryBytes: longest,
		Deadline:         deadline,
		Limits:           limits,
		PublicURL:        c.PublicURL,
		DataDir:          c.DataDir,
	}, fanoutOf(&c, b), d)
	if err != nil {
		return nil, fmt.Errorf("open gateway: %w", err)
	}
	g := &Gateway{
		mux: http.NewServeMux(), calls: door, backends: b, streams: streams.New(maxStreams), limits: limits, log: d.Log,
		refuses: c.RefuseCalls, check: c.Check, tls: c.TLS, adminTLS: c.AdminTLS,
	}
	door.Register(g.mux)
	if err := query.Register(g.mux, query.Config{
		Workspaces: c.Workspaces, Identity: b.Identity, Events: b.Events, Sessions: b.Sessions, Deadline: deadline,
		SendTime: sendTime, Streams: g.streams, Limits: limits,
	}, d); err != nil {
		return nil, fmt.Errorf("open gateway: %w", err)
	}
	return g, nil
}

// Handler returns the handler for everything on the gateway's port. Once its process is about to stop, every answer closes its connection,
// or over HTTP/2 asks the client to open another one: what is sent over a connection that is just being closed would be lost.
func (g *Gateway) Handler() http.Handler {
	serve := tidyPath(g.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		serve.ServeHTTP(w, r)
	})
}

// Ready returns nil when all three services say over gRPC health that they serve and take this gateway's calls, or which does not. Then it
// asks Check. A gateway that refuses calls is always ready.
func (g *Gateway) Ready(ctx context.Context) error {
	if g.refuses {
		return nil
	}
	whole := ctx
	together, ctx := group.WithContext(ctx)
	for _, service := range []struct {
		name string
		conn grpc.ClientConnInterface
	}{{"identity", g.backends.Identity}, {"events", g.backends.Events}, {"sessions", g.backends.Sessions}} {
		together.Go(func() error {
			resp, err := healthpb.NewHealthClient(service.conn).Check(ctx, &healthpb.HealthCheckRequest{Service: rpc.Calls})
			if err != nil {
				return fmt.Errorf("%s cannot be asked: %w", service.name, err)
			}
			if resp.GetStatus() != healthpb.HealthCheckResponse_SERVING {
				return fmt.Errorf("%s is not ready", service.name)
			}
			return nil
		})
	}
	if err := together.Wait(); err != nil || g.check == nil {
		return err
	}
	return g.check(whole)
}
