package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/peterbourgon/ff/v3"

	"github.com/sojournhq/sojourn/internal/kit/admin"
)

// HealthcheckName is the first argument of every program that asks a running process of its kind whether it is ready.
const HealthcheckName = "healthcheck"

// Healthcheck defines the flags of that command and returns what it does once they are set: nil if the process whose admin port is asked is
// ready. The process's own flags, where they stand in the environment, say where to ask and how.
func Healthcheck(flags *flag.FlagSet, defaultAdmin string) func(context.Context) error {
	addr := flags.String("admin", defaultAdmin, "admin address of the process; also SOJOURN_ADMIN_LISTEN")
	useTLS := flags.Bool("tls", false, "the admin port is served over TLS; its certificate is not verified; also SOJOURN_ADMIN_TLS")
	// The same two by the names that the process itself goes by, so that one environment serves both.
	flags.StringVar(addr, "admin-listen", defaultAdmin, "same as -admin")
	flags.BoolVar(useTLS, "admin-tls", false, "same as -tls")
	return func(ctx context.Context) error { return admin.Probe(ctx, *addr, *useTLS) }
}

// healthcheckMain runs the command as a program of its own and returns the exit code: 0 ready, 1 not, 2 for a wrong command line.
func healthcheckMain(ctx context.Context, name, defaultAdmin string, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet(name+" "+HealthcheckName, flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := Healthcheck(flags, defaultAdmin)
	err := ff.Parse(flags, args, ff.WithEnvVarPrefix("SOJOURN"))
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 2
	}
	if err := check(ctx); err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, strings.TrimSpace(err.Error()))
		return 1
	}
	return 0
}

// RunHealthcheck runs the command if args ask for it, and says whether they do.
func RunHealthcheck(ctx context.Context, name, defaultAdmin string, args []string, stderr io.Writer) (code int, asked bool) {
	if len(args) == 0 || args[0] != HealthcheckName {
		return 0, false
	}
	return healthcheckMain(ctx, name, defaultAdmin, args[1:], stderr), true
}
