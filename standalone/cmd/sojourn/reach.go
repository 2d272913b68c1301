package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

// Tokens come by the environment: arguments can be read by every user of a machine.
const (
	adminTokenVariable = "SOJOURN_ADMIN_TOKEN" //nolint:gosec // the name of a variable is no credential
	queryTokenVariable = "SOJOURN_QUERY_TOKEN" //nolint:gosec // as above
)

// inStopped hands use the services of a sojourn that is stopped, opened for as long as that takes.
func inStopped(ctx context.Context, dir string, readOnly bool, use func(gateway.Backends) error) (err error) {
	config, err := setup.Load(dir)
	if err != nil {
		return err
	}
	suite, err := standalone.Open(ctx, standalone.Config{Dir: dir, Workspaces: config, ReadOnly: readOnly}, observe.Discard())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, suite.Close()) }()
	return use(suite.Backends())
}

// throughGateway hands use a connection to a gateway that serves services within this process and may be asked about every workspace.
func throughGateway(ctx context.Context, services gateway.Backends, use func(*grpc.ClientConn) error) (err error) {
	admin := rand.Text()
	g, err := gateway.Open(ctx, gateway.Config{Workspaces: &workspace.Config{AdminToken: admin}}, services, observe.Discard())
	if err != nil {
		return err
	}
	pipe := rpc.NewPipe()
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- g.ServeUntil(serving, ctx, pipe) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()
	conn, err := pipe.Dial(grpc.WithPerRPCCredentials(bearer(admin)))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return use(conn)
}

// inRunning hands use the services of a sojourn that is running, as its gateway shows them to the admin.
func inRunning(gatewayURL, adminToken string, use func(gateway.Backends) error) error {
	return withAdmin(gatewayURL, adminToken, func(conn *grpc.ClientConn) error {
		return use(gateway.Backends{Identity: conn, Events: conn, Sessions: conn})
	})
}

// withAdmin hands use a connection to a gateway for the admin.
func withAdmin(gatewayURL, adminToken string, use func(*grpc.ClientConn) error) error {
	if adminToken == "" {
		return errors.New("set " + adminTokenVariable + " to the admin token")
	}
	conn, err := dialGateway(gatewayURL, adminToken)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return use(conn)
}

// queryToken returns the query token: that of the environment, or else of the first workspace in a data directory.
func queryToken(dir string) (string, error) {
	if token := os.Getenv(queryTokenVariable); token != "" {
		return token, nil
	}
	config, err := setup.Load(dir)
	if err != nil {
		return "", fmt.Errorf("%s is not set, and so: %w", queryTokenVariable, err)
	}
	first := config.Workspaces[0]
	if len(first.QueryTokens) == 0 {
		return "", errors.New("the first workspace has no query token")
	}
	return first.QueryTokens[0], nil
}

// dialGateway returns a connection to a gateway with which token goes along. The caller closes it.
func dialGateway(gatewayURL, token string) (*grpc.ClientConn, error) {
	target, err := url.Parse(gatewayURL)
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
