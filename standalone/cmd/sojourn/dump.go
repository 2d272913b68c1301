package main

import (
	"context"
	"io"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/standalone/internal/dump"
)

func dumpCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn dump", stderr)
	dir := flags.String("data", defaultData, "data directory of a sojourn that is stopped")
	var from remote
	from.define(flags, "", "gateway of a sojourn that is running; the admin token is taken from "+adminTokenVariable)
	return &ffcli.Command{
		Name:       "dump",
		ShortUsage: "sojourn dump [-data DIR | -url URL]",
		ShortHelp:  "print the whole state as lines of JSON, in an order that diff can compare",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			write := func(b gateway.Backends) error {
				return dump.Write(ctx, dump.Source{Identity: b.Identity, Events: b.Events, Sessions: b.Sessions}, stdout)
			}
			if from.url != "" {
				return from.inRunning(write)
			}
			return inStopped(ctx, *dir, true, write)
		}),
	}
}
