// Command gatewayd runs the gateway as a process in front of the three services.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	daemon.LimitMemory()
	code := run(ctx, os.Args[1:], os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with everything it touches handed in; it returns the exit code.
func run(ctx context.Context, args []string, stderr io.Writer) int {
	if code, asked := daemon.RunHealthcheck(ctx, "gatewayd", defaultAdmin, args, stderr); asked {
		return code
	}
	s, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "gatewayd: %v\n", err)
		return 2
	}
	log := observe.NewLog(stderr, s.level)
	opened, err := s.open(log)
	if s.check {
		_, loadErr := workspace.Load(s.workspaces)
		err = errors.Join(err, loadErr)
	}
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "gatewayd: %v\n", err)
		return 2
	case s.check:
		_, _ = fmt.Fprintln(stderr, "the configuration is good")
		return 0
	}
	if err := serve(ctx, s, opened, log); err != nil {
		log.Error("stopped", slog.Any("error", err))
		return 1
	}
	return 0
}
