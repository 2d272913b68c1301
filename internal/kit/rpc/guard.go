package rpc

import (
	"context"
	"crypto/tls"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/servicetoken"
)

// Guard says whom a server talks to. The zero Guard lets everybody in, unencrypted.
type Guard struct {
	// TLS is how connections are encrypted, and whose certificate a client must show. Nil: not at all.
	TLS *tls.Config
	// Token is what every request must carry, but for asking after the health of the whole server, as probes do. Nil: nothing.
	Token *servicetoken.Tokens
	// Installation returns the installation that the server's store belongs to. A request that is meant for another one, as its metadata
	// says under InstallationKey, is refused with ErrInstallation. Nil: nothing is refused.
	Installation func() string
}

// InstallationKey is where the metadata of a request says for which installation it is meant. Without it a request is for any.
const InstallationKey = "sojourn-installation"

// ErrInstallation is the status of a request that is meant for another installation.
var ErrInstallation = status.Error(codes.FailedPrecondition, "the store belongs to another installation than the one that is meant")

// Calls is the name under which gRPC health says whether the server takes calls from who asks. Other than the health of the server as a
// whole, it is told to nobody without the token, so that whoever is told may call.
const Calls = "sojourn.calls"

func (g Guard) credentials() credentials.TransportCredentials {
	if g.TLS == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(g.TLS)
}

var errToken = status.Error(codes.Unauthenticated, "the service token is missing or not valid")

// meant returns nil if the request is for the installation that the store belongs to, or for any.
func (g Guard) meant(ctx context.Context) error {
	if g.Installation == nil {
		return nil
	}
	for _, id := range metadata.ValueFromIncomingContext(ctx, InstallationKey) {
		if id != g.Installation() {
			return ErrInstallation
		}
	}
	return nil
}

// admit returns nil if the request may go on.
func (g Guard) admit(ctx context.Context) error {
	if err := g.meant(ctx); err != nil {
		return err
	}
	if g.Token == nil {
		return nil
	}
	for _, authorization := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		if token, ok := strings.CutPrefix(authorization, servicetoken.Bearer); ok && g.Token.Valid(token) {
			return nil
		}
	}
	return errToken
}

func (g Guard) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	asked, isHealth := req.(*healthpb.HealthCheckRequest)
	if !isHealth || asked.GetService() == Calls {
		if err := g.admit(ctx); err != nil {
			return nil, err
		}
	}
	return handle(ctx, req)
}

// stream lets nobody in without the token, health or not: a stream takes one of the places that there are for all of them, for as long as
// its client likes.
func (g Guard) stream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if err := g.admit(stream.Context()); err != nil {
		return err
	}
	return handle(srv, stream)
}
