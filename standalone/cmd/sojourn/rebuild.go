package main

import (
	"context"
	"io"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/standalone/internal/rebuild"
)

func rebuildCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn rebuild", stderr)
	var stopped directory
	stopped.define(flags)
	var from remote
	from.define(flags, "", "gateway of a sojourn that is running; the admin token is taken from "+adminTokenVariable)
	workspace := flags.String("workspace", "", "rebuild this workspace alone")
	return &ffcli.Command{
		Name:       "rebuild",
		ShortUsage: "sojourn rebuild [-data DIR [-workspaces FILE] | -url URL] [-workspace NAME]",
		ShortHelp:  "compute all sessions again from their calls, under the settings of now",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			run := func(b gateway.Backends) error {
				return rebuild.Run(ctx, rebuild.Services{Identity: b.Identity, Sessions: b.Sessions}, *workspace, stdout)
			}
			if from.url != "" {
				return from.inRunning(run)
			}
			return stopped.inStopped(ctx, false, run)
		}),
	}
}
