package main

import (
	"io"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

func healthcheckCommand(stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn "+daemon.HealthcheckName, stderr)
	return &ffcli.Command{
		Name:       daemon.HealthcheckName,
		ShortUsage: "sojourn healthcheck [-admin ADDRESS] [-tls]",
		ShortHelp:  "exit with 0 if the sojourn on this machine is ready, and with 1 if it is not",
		FlagSet:    flags,
		Options:    options(),
		Exec:       noArguments(daemon.Healthcheck(flags, defaultAdmin)),
	}
}
