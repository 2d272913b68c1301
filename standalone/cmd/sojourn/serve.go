package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile"
	"github.com/sojournhq/sojourn/services/sessions"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

const (
	defaultData  = "./sojourn-data"
	defaultAdmin = "127.0.0.1:8081"
)

// server is what `sojourn` without a command is told by its flags.
type server struct {
	directory

	listen, admin string
	check         bool
	keep          time.Duration
	deliveryBytes int
	reserve       int64
	compact       bool
	publicURL     gateway.PublicURL
	level         slog.Level
	limits        gateway.Limits
	tls           tlsfile.Server
}

func serveCommand(stdout, stderr io.Writer) *ffcli.Command {
	var s server
	flags := newFlags("sojourn", stderr)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address for calls and questions")
	flags.StringVar(&s.admin, "admin-listen", defaultAdmin, "address for /livez, /readyz, /metrics and profiles")
	flags.StringVar(&s.dir, "data", defaultData, "data directory; made on first start")
	s.defineWorkspaces(flags)
	flags.BoolVar(&s.check, "check", false, "check the configuration and leave")
	flags.DurationVar(&s.keep, "keep-changes", sessions.DefaultKeepChanges, "for how long sojourn watch can go back")
	flags.IntVar(&s.deliveryBytes, "max-delivery-bytes", gateway.DefaultMaxDeliveryBytes,
		"how long an array of calls may be that Segment delivers")
	daemon.DefineReserve(flags, &s.reserve)
	daemon.DefineCompact(flags, &s.compact)
	flags.Var(&s.publicURL, "public-url",
		"where clients reach Sojourn, as https://calls.example.com, for the settings that tell them; "+
			"not set: the listen address if it is loopback")
	flags.TextVar(&s.level, "log-level", slog.LevelWarn, "least level of what is logged: debug, info, warn or error")
	s.limits.Flags(flags)
	s.tls.Define(flags)
	return &ffcli.Command{
		Name:       "sojourn",
		ShortUsage: "sojourn [flags] [command]",
		ShortHelp:  "serve everything in one process",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			daemon.LimitMemory()
			log := observe.NewLog(stderr, s.level)
			listeners, err := s.tls.Open(log)
			err = errors.Join(err, s.limits.Check())
			if s.check {
				return checkConfig(s.directory, err, stdout)
			}
			if err != nil {
				return err
			}
			return s.serve(ctx, log, listeners, stdout)
		}),
	}
}

// namedDir returns the data directory if it is not the one that commands look at by themselves.
func (s *server) namedDir() string {
	if s.dir == defaultData {
		return ""
	}
	return s.dir
}

// checkConfig says whether the configuration is good, and changes nothing. The error names every problem, those of the flags first.
func checkConfig(d directory, ofFlags error, stdout io.Writer) error {
	err := setup.Check(d.dir, d.workspaces)
	verdict := "the configuration is good"
	if errors.Is(err, fs.ErrNotExist) && d.workspaces == "" {
		verdict, err = "there is no configuration yet: the first start will make one", nil
	}
	if err = errors.Join(ofFlags, err); err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, verdict)
	return err
}

// serve runs everything until ctx ends, or until a store cannot be trusted any more.
func (s *server) serve(ctx context.Context, log *slog.Logger, listeners tlsfile.Listeners, stdout io.Writer) (err error) {
	daemon.UseProcessors(standalone.Stores)
	workspaces, err := setup.Watch(s.dir, s.workspaces, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, workspaces.Close()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	registry := observe.NewRegistry()
	traces, flush, err := observe.NewTraces(ctx, "sojourn", log)
	if err != nil {
		return err
	}
	defer flush()
	deps := observe.Deps{Log: log, Metrics: registry, Traces: traces, Fatal: daemon.Fatal(cancel)}
	suite, err := standalone.Open(ctx, standalone.Config{
		Dir: s.dir, Workspaces: workspaces, KeepChanges: s.keep, ReserveBytes: s.reserve, Compact: s.compact,
	}, deps)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, suite.Close()) }()
	g, err := gateway.Open(ctx, gateway.Config{
		Workspaces: workspaces, MaxDeliveryBytes: s.deliveryBytes, PublicURL: s.publicURL.URL, DataDir: s.namedDir(), Limits: s.limits,
		TLS: listeners.Main, AdminTLS: listeners.Admin,
	}, suite.Backends(), deps.For("gateway"))
	if err != nil {
		return err
	}
	l, err := gateway.Listen(ctx, s.listen, s.admin)
	if err != nil {
		return err
	}
	keys, err := setup.FirstKeys(s.dir, workspaces.Config())
	if err != nil {
		log.WarnContext(ctx, "the first keys are not there to show", slog.Any("error", err))
	}
	where := places{scheme(listeners.Main) + l.HTTP.Addr().String(), scheme(listeners.Admin) + l.Admin.Addr().String(), s.directory}
	if err := greet(stdout, where, keys); err != nil {
		return err
	}
	err = g.Serve(ctx, 0, l, registry)
	return errors.Join(daemon.Cause(ctx), err)
}

func scheme(config *tls.Config) string {
	if config == nil {
		return "http://"
	}
	return "https://"
}
