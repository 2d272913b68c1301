package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func versionCommand(stdout, stderr io.Writer) *ffcli.Command {
	return &ffcli.Command{
		Name:       "version",
		ShortUsage: "sojourn version",
		ShortHelp:  "print the version",
		FlagSet:    newFlags("sojourn version", stderr),
		Exec: noArguments(func(context.Context) error {
			_, err := fmt.Fprintln(stdout, "sojourn", version())
			return err
		}),
	}
}

// version says what the program was built from.
func version() string {
	version, commit := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return version + " (commit " + commit + ")"
}
