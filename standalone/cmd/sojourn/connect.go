package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net/url"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/standalone"
)

// Tokens come by the environment: arguments can be read by every user of a machine.
const (
	tokenVariable      = "SOJOURN_ADMIN_TOKEN" //nolint:gosec // the name of a variable is no credential
	queryTokenVariable = "SOJOURN_QUERY_TOKEN" //nolint:gosec // the name of a variable is no credential
)

// dialGateway returns a connection to the gateway at a URL, on which every call has the token.
func dialGateway(gateway, token string) (*grpc.ClientConn, error) {
	target, err := url.Parse(gateway)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, errors.New("-url is not one such as http://127.0.0.1:8080")
	}
	transport := insecure.NewCredentials()
	if target.Scheme == "https" {
		transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	return rpc.Dial(target.Host, grpc.WithTransportCredentials(transport), grpc.WithPerRPCCredentials(bearer(token)))
}

// bearer is a token that goes with every call.
type bearer string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: a gateway on the same machine may do without.
func (bearer) RequireTransportSecurity() bool { return false }

// withStopped opens the data directory of a sojourn that is stopped, for questions only, and calls do with a connection to a gateway that
// serves it within this process and may be asked about every workspace.
func withStopped(ctx context.Context, dir string, config *workspace.Config, do func(*grpc.ClientConn) error) (err error) {
	suite, err := standalone.Open(ctx, standalone.Config{Dir: dir, Workspaces: config, ReadOnly: true}, observe.Discard())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, suite.Close()) }()
	admin := rand.Text()
	g, err := gateway.Open(ctx, gateway.Config{Workspaces: &workspace.Config{AdminToken: admin}}, suite.Backends(), observe.Discard())
	if err != nil {
		return err
	}
	pipe := rpc.NewPipe()
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- gateway.ServeUntil(serving, ctx, pipe, g.Handler()) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()
	conn, err := pipe.Dial(grpc.WithPerRPCCredentials(bearer(admin)))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return do(conn)
}
