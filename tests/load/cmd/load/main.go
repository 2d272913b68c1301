// Command load measures a Sojourn by sending it calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/peterbourgon/ff/v3/ffcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := &ffcli.Command{
		Name:       "load",
		ShortUsage: "load <command> [flags]",
		Subcommands: []*ffcli.Command{
			sendCommand(stdout, stderr), limitCommand(stdout, stderr), benchCommand(stdout, stderr), growthCommand(stdout, stderr),
		},
		Exec: func(context.Context, []string) error { return errors.New("say what to do: load -h lists the commands") },
	}
	return root.ParseAndRun(ctx, args)
}
