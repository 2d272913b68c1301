package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/tests/load/internal/limits"
)

func limitCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := flag.NewFlagSet("load limit", flag.ContinueOnError)
	flags.SetOutput(stderr)
	kind := flags.String("kind", limits.JSON, limits.JSON+": decode every body with encoding/json; "+limits.Discard+": do nothing with it")
	listen := flags.String("listen", "127.0.0.1:0", "host and port")
	return &ffcli.Command{
		Name:       "limit",
		ShortUsage: "load limit [-kind json|discard] [-listen ADDRESS]",
		ShortHelp:  "serve what a server of Go can do at most: it stores nothing",
		FlagSet:    flags,
		Exec: func(ctx context.Context, _ []string) error {
			handler, err := limits.Handler(*kind)
			if err != nil {
				return err
			}
			return serve(ctx, *listen, handler, stdout)
		},
	}
}

// serve serves until the context ends.
func serve(ctx context.Context, address string, handler http.Handler, stdout io.Writer) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if _, err := fmt.Fprintln(stdout, "ready on", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
