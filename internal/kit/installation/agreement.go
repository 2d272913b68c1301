package installation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/rpc"
	installationv1 "github.com/sojournhq/sojourn/proto/sojourn/installation/v1"
)

// ErrMixed says that the stores of the services do not belong together.
var ErrMixed = errors.New("the stores do not belong together")

// Agreement is which installation a gateway's services belong to.
type Agreement struct {
	log      *slog.Logger
	services []service
	id       atomic.Pointer[string] // nil: not agreed on; empty: no service knows of installations
	asking   chan struct{}          // holds one place
	mixed    bool                   // what the log has last; of who asks
}

type service struct {
	name   string
	client installationv1.InstallationServiceClient
}

// New returns an agreement between services that are still to be added.
func New(log *slog.Logger) *Agreement { return &Agreement{log: log, asking: make(chan struct{}, 1)} }

// Add adds a service, identity first: where several gateways begin at once, its store decides.
func (a *Agreement) Add(name string, conn grpc.ClientConnInterface) {
	a.services = append(a.services, service{name, installationv1.NewInstallationServiceClient(conn)})
}

// Agree asks all services which installation they belong to, and has those that belong to none join. It returns nil if all belong to one,
// or what is wrong: ErrMixed if they differ. A service of a version that knows nothing of installations is passed over.
func (a *Agreement) Agree(ctx context.Context) error {
	select {
	case a.asking <- struct{}{}:
		defer func() { <-a.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	id, err := a.ask(ctx)
	switch {
	case errors.Is(err, ErrMixed):
		a.id.Store(nil)
		if !a.mixed {
			a.log.ErrorContext(ctx, "no calls are taken", slog.Any("error", err))
		}
		a.mixed = true
	case err == nil:
		a.id.Store(&id)
		a.mixed = false
	}
	return err
}

func (a *Agreement) ask(ctx context.Context) (id string, err error) {
	of := make([]string, len(a.services))
	knows := make([]bool, len(a.services))
	first := ""
	for i, s := range a.services {
		of[i], knows[i], err = s.join(ctx, "")
		if err != nil {
			return "", err
		}
		switch {
		case of[i] == "":
		case id == "":
			id, first = of[i], s.name
		case of[i] != id:
			return "", mixed(s.name, first)
		}
	}
	if id == "" {
		id = uuid.NewString()
	}
	return a.join(ctx, id, of, knows)
}

// join has those services join that belong to no installation yet. It returns the id of all, empty if none knows of any.
func (a *Agreement) join(ctx context.Context, id string, of []string, knows []bool) (string, error) {
	joined := ""
	for i, s := range a.services {
		if !knows[i] {
			continue
		}
		now := of[i]
		if now == "" {
			var err error
			if now, _, err = s.join(ctx, id); err != nil {
				return "", err
			}
		}
		switch {
		case joined == "": // another gateway may have been faster
			id, joined = now, now
		case now != id:
			return "", mixed(s.name, a.services[0].name)
		}
	}
	return joined, nil
}

func mixed(one, other string) error {
	return fmt.Errorf("%w: that of %s is of another installation than that of %s: a volume is mounted in the wrong place, or one of them "+
		"was restored alone from a backup of another installation: restore all three from one backup", ErrMixed, one, other)
}

// join asks a service. Known is false if it is of a version that cannot be asked.
func (s service) join(ctx context.Context, id string) (now string, known bool, err error) {
	resp, err := s.client.Join(ctx, &installationv1.JoinRequest{Installation: id})
	switch {
	case status.Code(err) == codes.Unimplemented:
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("%s cannot be asked which installation it belongs to: %w", s.name, err)
	}
	return resp.GetInstallation(), true, nil
}

// Options are those of the connections to the services: every request names the installation, and a write waits until it is agreed on.
func (a *Agreement) Options() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(a.unary), grpc.WithChainStreamInterceptor(a.stream)}
}

func (a *Agreement) unary(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	ctx, err := a.named(ctx, method)
	if err != nil {
		return err
	}
	return a.understood(invoke(ctx, method, req, reply, conn, options...))
}

func (a *Agreement) stream(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	ctx, err := a.named(ctx, method)
	if err != nil {
		return nil, err
	}
	return open(ctx, desc, conn, method, options...)
}

// named returns the context of a request that names the installation.
func (a *Agreement) named(ctx context.Context, method string) (context.Context, error) {
	if method == installationv1.InstallationService_Join_FullMethodName {
		return ctx, nil
	}
	id := a.id.Load()
	if id == nil && strings.Contains(method, ".IngestService/") {
		if err := a.Agree(ctx); err != nil {
			return nil, unavailable(ctx, err)
		}
		id = a.id.Load()
	}
	if id == nil || *id == "" {
		return ctx, nil
	}
	return metadata.AppendToOutgoingContext(ctx, rpc.InstallationKey, *id), nil
}

// unavailable is the status of a write that is to be tried again later.
func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	return status.Error(codes.Unavailable, err.Error())
}

// understood returns the error of a request. One that was refused because the store belongs elsewhere is to be tried again: once the
// services were asked anew, either it is for the right installation or no call is taken.
func (a *Agreement) understood(err error) error {
	if errors.Is(err, rpc.ErrInstallation) {
		a.id.Store(nil)
		return status.Error(codes.Unavailable, status.Convert(err).Message())
	}
	return err
}
