package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

// Tokens come by the environment: arguments can be read by every user of a machine.
const (
	adminTokenVariable = "SOJOURN_ADMIN_TOKEN" //nolint:gosec // the name of a variable is no credential
	queryTokenVariable = "SOJOURN_QUERY_TOKEN" //nolint:gosec // as above
	writeKeyVariable   = "SOJOURN_WRITE_KEY"
)

// remote is a gateway that runs, and how to know it.
type remote struct {
	url string
	tls tlsfile.Client
}

// define adds the flags for it to a set.
func (r *remote) define(flags *flag.FlagSet, url, help string) {
	flags.StringVar(&r.url, "url", url, help)
	r.tls.Define(flags, "", "an https -url")
}

// keyOf returns a key of the first start of the sojourn in dir, or that of the environment, which comes first.
func keyOf(dir, variable string, which func(setup.Keys) string) (string, error) {
	if key := os.Getenv(variable); key != "" {
		return key, nil
	}
	keys, err := setup.LoadKeys(dir)
	if err != nil {
		return "", fmt.Errorf("%s is not set, and so: %w", variable, err)
	}
	if key := which(keys); key != "" {
		return key, nil
	}
	return "", fmt.Errorf("set %s: none that is valid is in %s", variable, filepath.Join(dir, setup.KeysFile))
}

// inStopped hands use the services of a sojourn that is stopped, opened for as long as that takes.
func inStopped(ctx context.Context, dir string, readOnly bool, use func(gateway.Backends) error) (err error) {
	config, err := setup.LoadWithoutSecrets(dir)
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
	config := gateway.Config{Workspaces: &workspace.Config{AdminTokens: workspace.NewSecrets(admin)}}
	g, err := gateway.Open(ctx, config, services, observe.Discard())
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
func (r *remote) inRunning(use func(gateway.Backends) error) error {
	return r.withAdmin(func(conn *grpc.ClientConn) error {
		return use(gateway.Backends{Identity: conn, Events: conn, Sessions: conn})
	})
}

// withAdmin hands use a connection to a gateway for the admin.
func (r *remote) withAdmin(use func(*grpc.ClientConn) error) error {
	adminToken := os.Getenv(adminTokenVariable)
	if adminToken == "" {
		return errors.New("set " + adminTokenVariable + " to an admin token")
	}
	conn, err := r.dial(adminToken)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return use(conn)
}

// queryToken returns the query token: that of the environment, or else that of the first start of the sojourn in dir.
func queryToken(dir string) (string, error) {
	return keyOf(dir, queryTokenVariable, func(k setup.Keys) string { return k.QueryToken })
}

// dial returns a connection to the gateway with which token goes along. The caller closes it.
func (r *remote) dial(token string) (*grpc.ClientConn, error) {
	target, err := url.Parse(r.url)
	if err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https") {
		return nil, errors.New("-url is not one such as http://127.0.0.1:8080")
	}
	transport := insecure.NewCredentials()
	if target.Scheme == "https" {
		if transport, err = r.tls.Open(slog.New(slog.DiscardHandler)); err != nil {
			return nil, err
		}
	}
	return rpc.Dial(target.Host, grpc.WithTransportCredentials(transport), grpc.WithPerRPCCredentials(bearer(token)))
}

// client returns a client that speaks HTTP with the gateway.
func (r *remote) client() (*http.Client, error) {
	config, err := r.tls.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config()}}, nil
}

// bearer is a token that goes with every call.
type bearer string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: a gateway on the same machine may do without.
func (bearer) RequireTransportSecurity() bool { return false }
