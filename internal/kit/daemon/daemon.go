// Package daemon runs one gRPC service as a process: flags, log, admin port, ready, drain, close.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/peterbourgon/ff/v3"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/admin"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/internal/kit/version"
)

// DrainTime is how long calls under way may still take after the process was asked to stop.
const DrainTime = 10 * time.Second

const defaultAdmin = "127.0.0.1:9100"

// Service is what a daemon runs.
type Service interface {
	// Register adds the service's RPCs to a server that is not serving yet.
	Register(grpc.ServiceRegistrar)
	// Installation returns the installation that its store belongs to, empty if that is none yet.
	Installation() string
	// Close stops the service and closes its store, once no call is under way any more.
	Close() error
}

// Beside returns a service that, when it is closed, closes what runs beside it as well, last.
func Beside(s Service, other io.Closer) Service { return beside{s, other} }

type beside struct {
	Service

	other io.Closer
}

func (b beside) Close() error { return errors.Join(b.Service.Close(), b.other.Close()) }

// Parse reads flags, then for those not given environment variables (SOJOURN_DATA for -data), then the file named by -config, one
// "name value" a line. It returns flag.ErrHelp when all that was asked for is printed.
func Parse(flags *flag.FlagSet, args []string) error {
	flags.String("config", "", "file with one \"flag value\" a line")
	ask := flags.Bool("version", false, "print the version and leave")
	if err := ff.Parse(flags, args, ff.WithEnvVarPrefix("SOJOURN"), ff.WithConfigFileFlag("config"),
		ff.WithConfigFileParser(ff.PlainParser)); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *ask {
		_, _ = fmt.Fprintln(flags.Output(), flags.Name(), version.Get())
		return flag.ErrHelp
	}
	return nil
}

// Main runs a service named name until SIGINT or SIGTERM and returns the process's exit code. Define adds the service's own flags and
// returns the function that opens it once they are set. With the first argument "healthcheck" it asks a running one whether it is ready.
func Main(name string, args []string, define func(*flag.FlagSet) func(context.Context, observe.Deps) (Service, error)) int {
	if code, asked := RunHealthcheck(context.Background(), name, defaultAdmin, args, os.Stderr); asked {
		return code
	}
	LimitMemory()
	UseProcessors(1)
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9000", "address for gRPC")
	adminAddr := flags.String("admin-listen", defaultAdmin, "address for /livez, /readyz, /metrics and profiles")
	ordinal := flags.Int("ordinal", 0, "number of the pod in its StatefulSet: only 0 starts, for a second would begin a store of its own")
	var level slog.Level
	DefineLevel(flags, &level)
	var guarded guards
	guarded.define(flags)
	open := define(flags)
	if err := Parse(flags, args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 2
	}
	if *ordinal != 0 {
		fmt.Fprintf(os.Stderr, "%s: -ordinal is %d: the data is in one file with one owner, the pod with ordinal 0. "+
			"A second pod would begin a store of its own and answer from that: scale the StatefulSet back to 1\n", name, *ordinal)
		return 2
	}
	log := observe.NewLog(os.Stderr, level)
	guard, adminTLS, err := guarded.open(log)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := process{name: name, listen: *listen, admin: *adminAddr, guard: guard, adminTLS: adminTLS}
	if err := p.run(ctx, log, open); err != nil {
		log.Error("stopped", slog.Any("error", err))
		return ExitCode(err)
	}
	return 0
}

// DefineReserve adds the flag for what a store keeps free on its disk to a set.
func DefineReserve(flags *flag.FlagSet, bytes *int64) {
	flags.Int64Var(bytes, "reserve-bytes", boltdb.DefaultReserve,
		"what is kept free on the disk, for deletions and compacting: with less, calls are refused; -1: nothing")
}

// DefineCompact adds the flag for what is compacted without being asked for to a set.
func DefineCompact(flags *flag.FlagSet, byItself *bool) {
	flags.BoolVar(byItself, "auto-compact", true, "make a data file small, while it is used, when 64 MiB and half of it are free")
}

// DefineLevel adds the flag for the log's level to a set.
func DefineLevel(flags *flag.FlagSet, level *slog.Level) {
	flags.TextVar(level, "log-level", slog.LevelInfo, "least level of what is logged: debug, info, warn or error")
}

// process is where a service is served, and for whom.
type process struct {
	name, listen, admin string
	guard               rpc.Guard
	adminTLS            *tls.Config
}

func (p *process) run(ctx context.Context, log *slog.Logger, open func(context.Context, observe.Deps) (Service, error)) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	registry := observe.NewRegistry()
	traces, flush, err := observe.NewTraces(ctx, p.name, log)
	if err != nil {
		return err
	}
	defer flush()
	deps := observe.Deps{Log: log, Metrics: registry, Traces: traces, Fatal: Fatal(cancel)}.
		For(strings.TrimSuffix(p.name, "d"))

	service, err := open(ctx, deps)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Close()) }()
	p.guard.Installation = service.Installation
	server, err := rpc.NewGuarded(deps, p.guard)
	if err != nil {
		return err
	}
	service.Register(server)
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", p.listen)
	if err != nil {
		return fmt.Errorf("listen for gRPC: %w", err)
	}
	adminListener, err := config.Listen(ctx, "tcp", p.admin)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for admin: %w", err), l.Close())
	}
	var stopping atomic.Bool
	handler := admin.Handler(registry, func() error {
		if stopping.Load() {
			return errors.New("stopping")
		}
		return nil
	})
	if !Loopback(l) && p.guard.TLS == nil && p.guard.Token == nil {
		log.Warn("whoever reaches this port can read and write everything: set -tls-cert, -tls-client-ca or -service-token-file")
	}
	log.Info("ready", slog.String("grpc", l.Addr().String()), slog.String("admin", adminListener.Addr().String()))

	drain, endDrain := Drain(ctx, func() { stopping.Store(true) })
	defer endDrain()
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { return server.ServeUntil(running, drain, l) })
	group.Go(func() error { return admin.ServeUntil(running, admin.Secure(adminListener, p.adminTLS), handler) })
	err = group.Wait()
	return errors.Join(Cause(ctx), err)
}

// Cause returns why a process ends whose context has ended: nil if it was asked to.
func Cause(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// Drain returns a context that ends DrainTime after ctx has ended, and calls onStop when ctx ends. The returned function releases it.
func Drain(ctx context.Context, onStop func()) (context.Context, func()) {
	drain, end := context.WithCancel(context.WithoutCancel(ctx))
	stopWatching := context.AfterFunc(ctx, func() {
		onStop()
		time.AfterFunc(DrainTime, end)
	})
	return drain, func() { stopWatching(); end() }
}
