package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/dump"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

func dumpCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn dump", stderr)
	dir := flags.String("data", defaultData, "data directory of a sojourn that is stopped")
	from := flags.String("url", "", "gateway of a sojourn that is running; the admin token is taken from "+tokenVariable)
	return &ffcli.Command{
		Name:       "dump",
		ShortUsage: "sojourn dump [-data DIR | -url URL]",
		ShortHelp:  "print the whole state as lines of JSON, in an order that diff can compare",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			if *from != "" {
				return dumpRunning(ctx, *from, os.Getenv(tokenVariable), stdout)
			}
			return dumpStopped(ctx, *dir, stdout)
		}),
	}
}

func dumpStopped(ctx context.Context, dir string, to io.Writer) (err error) {
	config, err := setup.Load(dir)
	if err != nil {
		return err
	}
	suite, err := standalone.Open(ctx, standalone.Config{
		Dir: dir, Workspaces: config, ReadOnly: true,
	}, observe.Discard())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, suite.Close()) }()
	b := suite.Backends()
	return dump.Write(ctx, dump.Source{Identity: b.Identity, Events: b.Events, Sessions: b.Sessions}, to)
}

func dumpRunning(ctx context.Context, gateway, token string, to io.Writer) error {
	if token == "" {
		return errors.New("set " + tokenVariable + " to the admin token")
	}
	conn, err := dialGateway(gateway, token)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return dump.Write(ctx, dump.Source{Identity: conn, Events: conn, Sessions: conn}, to)
}
