package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile"
)

const defaultAdmin = "127.0.0.1:8081"

// settings is what the flags say.
type settings struct {
	listen, admin, workspaces  string
	identity, events, sessions string
	callBytes, batchBytes      int
	deliveryBytes              int
	publicURL                  gateway.PublicURL
	deadline, linger           time.Duration
	limits                     gateway.Limits
	level                      slog.Level
	check, refuseCalls         bool

	tls     tlsfile.Server
	backend tlsfile.Client
	token   string
}

// parse reads the settings; its error names every one that is missing.
func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("gatewayd", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address for calls and questions")
	flags.StringVar(&s.admin, "admin-listen", defaultAdmin, "address for /livez, /readyz, /metrics and profiles")
	flags.StringVar(&s.workspaces, "workspaces", "", "file that says who may write and read; changes count while running (required)")
	flags.StringVar(&s.identity, "identity", "", "gRPC target of the identity service, as identity:9000 (required)")
	flags.StringVar(&s.events, "events", "", "gRPC target of the events service (required)")
	flags.StringVar(&s.sessions, "sessions", "", "gRPC target of the sessions service (required)")
	flags.IntVar(&s.callBytes, "max-call-bytes", gateway.DefaultMaxCallBytes, "how long the JSON of one call may be")
	flags.IntVar(&s.batchBytes, "max-batch-bytes", gateway.DefaultMaxBatchBytes, "how long the body of a batch may be")
	flags.IntVar(&s.deliveryBytes, "max-delivery-bytes", gateway.DefaultMaxDeliveryBytes,
		"how long an array of calls may be that Segment delivers")
	flags.Var(&s.publicURL, "public-url",
		"where clients reach the gateway, as https://calls.example.com, for the settings that tell them; "+
			"not set: the listen address if it is loopback")
	flags.DurationVar(&s.deadline, "deadline", gateway.DefaultDeadline, "how long the services may take for one request")
	s.limits.Flags(flags)
	flags.DurationVar(&s.linger, "drain-delay", 0, "how long to go on serving after being asked to stop, until nothing more is sent")
	flags.BoolVar(&s.refuseCalls, "refuse-calls", false,
		"answer every call with 503 and Retry-After, and be ready all the same, as while the services are restored")
	flags.BoolVar(&s.check, "check", false, "check the configuration and leave")
	daemon.DefineLevel(flags, &s.level)
	s.tls.Define(flags)
	s.backend.Define(flags, "backend-tls-", "the services")
	s.backend.DefineName(flags, "the services")
	daemon.DefineToken(flags, &s.token)
	if err := daemon.Parse(flags, args); err != nil {
		return s, err
	}
	return s, s.problems()
}

// problems names every problem of the flags themselves at once.
func (s *settings) problems() error {
	var problems []error
	for _, required := range []struct{ name, value string }{
		{"workspaces", s.workspaces}, {"identity", s.identity}, {"events", s.events}, {"sessions", s.sessions},
	} {
		if required.value == "" {
			problems = append(problems, fmt.Errorf("-%s is required", required.name))
		}
	}
	if s.callBytes < 1 || s.batchBytes < s.callBytes {
		problems = append(problems, errors.New("-max-batch-bytes must be at least -max-call-bytes, and that at least 1"))
	}
	if s.deliveryBytes < s.callBytes {
		problems = append(problems, errors.New("-max-delivery-bytes must be at least -max-call-bytes"))
	}
	if s.linger < 0 {
		problems = append(problems, errors.New("-drain-delay must not be negative"))
	}
	if s.deadline <= 0 {
		problems = append(problems, errors.New("-deadline must be positive"))
	}
	problems = append(problems, s.limits.Check())
	return errors.Join(problems...)
}

// secured is what the files say that flags name.
type secured struct {
	listeners tlsfile.Listeners
	caller    rpc.Caller
}

// open reads the files. The error names every problem, by flag.
func (s *settings) open(log *slog.Logger) (secured, error) {
	var opened secured
	var err, tlsErr, tokenErr error
	opened.listeners, err = s.tls.Open(log)
	if s.backend.Wanted() {
		opened.caller.TLS, tlsErr = s.backend.Open(log)
	}
	opened.caller.Token, tokenErr = daemon.OpenToken(s.token, log)
	return opened, errors.Join(err, tlsErr, tokenErr)
}
