package main

import (
	"context"
	"fmt"
	"io"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/internal/kit/version"
)

func versionCommand(stdout, stderr io.Writer) *ffcli.Command {
	return &ffcli.Command{
		Name:       "version",
		ShortUsage: "sojourn version",
		ShortHelp:  "print the version",
		FlagSet:    newFlags("sojourn version", stderr),
		Exec: noArguments(func(context.Context) error {
			_, err := fmt.Fprintln(stdout, "sojourn", version.Get())
			return err
		}),
	}
}
