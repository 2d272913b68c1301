package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

// settings is what the flags say.
type settings struct {
	listen, admin, workspaces  string
	identity, events, sessions string
	callBytes, batchBytes      int
	deadline                   time.Duration
	limits                     gateway.Limits
}

// parse reads the settings; its error names every one that is missing.
func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("gatewayd", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8080", "address for calls and questions")
	flags.StringVar(&s.admin, "admin-listen", "127.0.0.1:8081", "address for /livez, /readyz, /metrics and profiles")
	flags.StringVar(&s.workspaces, "workspaces", "", "file that says who may write and read; changes count while running (required)")
	flags.StringVar(&s.identity, "identity", "", "gRPC target of the identity service, as identity:9000 (required)")
	flags.StringVar(&s.events, "events", "", "gRPC target of the events service (required)")
	flags.StringVar(&s.sessions, "sessions", "", "gRPC target of the sessions service (required)")
	flags.IntVar(&s.callBytes, "max-call-bytes", gateway.DefaultMaxCallBytes, "how long the JSON of one call may be")
	flags.IntVar(&s.batchBytes, "max-batch-bytes", gateway.DefaultMaxBatchBytes, "how long the body of a batch may be")
	flags.DurationVar(&s.deadline, "deadline", gateway.DefaultDeadline, "how long the services may take for one request")
	s.limits.Flags(flags)
	if err := daemon.Parse(flags, args); err != nil {
		return s, err
	}
	return s, s.check()
}

// check names every problem at once.
func (s *settings) check() error {
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
	if s.deadline <= 0 {
		problems = append(problems, errors.New("-deadline must be positive"))
	}
	problems = append(problems, s.limits.Check())
	return errors.Join(problems...)
}
