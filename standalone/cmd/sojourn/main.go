// Command sojourn is all of Sojourn in one program: without a command it serves, and its commands look after what it serves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with everything it touches handed in; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := serveCommand(stdout, stderr)
	root.Subcommands = []*ffcli.Command{
		demoCommand(stdout, stderr), smokeCommand(stdout, stderr), watchCommand(stdout, stderr), tailCommand(stdout, stderr),
		rejectedCommand(stdout, stderr), dumpCommand(stdout, stderr), exportCommand(stdout, stderr),
		verifyCommand(stdout, stderr), rebuildCommand(stdout, stderr), deleteUserCommand(stdout, stderr), compactCommand(stdout, stderr),
		backupCommand(stdout, stderr), restoreCommand(stdout, stderr), explainCommand(os.Stdin, stdout, stderr),
		newKeyCommand(stdout, stderr), healthcheckCommand(stderr), versionCommand(stdout, stderr),
	}
	failed := 2 // the command line is wrong
	err := root.Parse(args)
	if err == nil {
		err = root.Run(ctx)
		failed = daemon.ExitCode(err)
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	_, _ = fmt.Fprintf(stderr, "sojourn: %v\n", err)
	return failed
}

// options lets every command's flags be set in the environment too: SOJOURN_DATA is -data.
func options() []ff.Option { return []ff.Option{ff.WithEnvVarPrefix("SOJOURN")} }

// newFlags returns the flag set of one command.
func newFlags(name string, stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	return flags
}

// noArguments refuses words behind the flags: most likely a misspelt command.
func noArguments(exec func(context.Context) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown command or argument %q; see sojourn -help", args[0])
		}
		return exec(ctx)
	}
}
