package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
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
	listen, admin, dir string
	check              bool
	keep               time.Duration
	level              slog.Level
}

func serveCommand(stdout, stderr io.Writer) *ffcli.Command {
	var s server
	flags := newFlags("sojourn", stderr)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address for calls and questions")
	flags.StringVar(&s.admin, "admin-listen", defaultAdmin, "address for /livez, /readyz, /metrics and profiles")
	flags.StringVar(&s.dir, "data", defaultData, "data directory; made on first start")
	flags.BoolVar(&s.check, "check", false, "check the configuration and leave")
	flags.DurationVar(&s.keep, "keep-changes", sessions.DefaultKeepChanges, "for how long sojourn watch can go back")
	flags.TextVar(&s.level, "log-level", slog.LevelWarn, "least level of what is logged: debug, info, warn or error")
	return &ffcli.Command{
		Name:       "sojourn",
		ShortUsage: "sojourn [flags] [command]",
		ShortHelp:  "serve everything in one process",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			if s.check {
				return checkConfig(s.dir, stdout)
			}
			return s.serve(ctx, observe.NewLog(stderr, s.level), stdout)
		}),
	}
}

// checkConfig says whether the configuration is good, and changes nothing.
func checkConfig(dir string, stdout io.Writer) error {
	_, err := setup.Load(dir)
	verdict := "the configuration is good"
	if errors.Is(err, fs.ErrNotExist) {
		verdict, err = "there is no configuration yet: the first start will make one", nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, verdict)
	return err
}

// serve runs everything until ctx ends, or until a store cannot be trusted any more.
func (s *server) serve(ctx context.Context, log *slog.Logger, stdout io.Writer) (err error) {
	workspaces, err := setup.Watch(s.dir, log)
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
	deps := observe.Deps{Log: log, Metrics: registry, Traces: traces, Fatal: cancel}
	suite, err := standalone.Open(ctx, standalone.Config{Dir: s.dir, Workspaces: workspaces, KeepChanges: s.keep}, deps)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, suite.Close()) }()
	g, err := gateway.Open(ctx, gateway.Config{Workspaces: workspaces}, suite.Backends(), deps.For("gateway"))
	if err != nil {
		return err
	}
	l, err := gateway.Listen(ctx, s.listen, s.admin)
	if err != nil {
		return err
	}
	where := places{"http://" + l.HTTP.Addr().String(), "http://" + l.Admin.Addr().String(), filepath.Join(s.dir, setup.File)}
	if err := greet(stdout, where, workspaces.Config()); err != nil {
		return err
	}
	if err := g.Serve(ctx, l, registry); err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

const greeting = `Sojourn is ready on %[1]s

Send it a call (Ctrl-C stops Sojourn; what it answered with success is on disk):

  curl -u %[2]s: %[1]s/v1/track -H 'Content-Type: application/json' -d '{"messageId":"m1",
    "timestamp":"'$(date -u +%%FT%%TZ)'","anonymousId":"s1","userId":"ada","groupId":"acme",
    "event":"Invoice Created","properties":{"module":"Billing"}}'

Ask it which sessions there were:

  curl -H 'Authorization: Bearer %[3]s' -H 'Content-Type: application/json' \
    -d '{}' %[1]s/sojourn.sessions.v1.QueryService/ListSessions

Or fill it with a demo: go run ./standalone/cmd/sojourn demo -url %[1]s
Keys of all workspaces are in %[4]s
Health and metrics are on %[5]s
`

// places are where a server can be found.
type places struct{ url, admin, file string }

// greet says where Sojourn is and how to try it, with the keys of the first workspace.
func greet(to io.Writer, where places, config *workspace.Config) error {
	first, writeKey, queryToken := config.Workspaces[0], "WRITE_KEY", "QUERY_TOKEN"
	if len(first.Sources) > 0 {
		writeKey = first.Sources[0].WriteKeys[0]
	}
	if len(first.QueryTokens) > 0 {
		queryToken = first.QueryTokens[0]
	}
	if _, err := fmt.Fprintf(to, greeting, where.url, writeKey, queryToken, where.file, where.admin); err != nil {
		return fmt.Errorf("print greeting: %w", err)
	}
	return nil
}
