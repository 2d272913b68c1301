package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/tests/load/internal/drive"
	"github.com/sojournhq/sojourn/tests/load/internal/measure"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

const writeKeyVariable = "SOJOURN_WRITE_KEY"

func sendCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := flag.NewFlagSet("load send", flag.ContinueOnError)
	flags.SetOutput(stderr)
	mix := traffic.Default(1, time.Now())
	defineMix(flags, &mix)
	c := drive.Config{WriteKey: os.Getenv(writeKeyVariable)}
	flags.StringVar(&c.Address, "address", "127.0.0.1:8080", "host and port of the gateway; the write key is taken from "+writeKeyVariable)
	flags.IntVar(&c.Connections, "connections", 64, "how many connections")
	flags.IntVar(&c.Batch, "batch", 0, "how many calls in a batch; 0: single calls")
	flags.Float64Var(&c.Rate, "rate", 0, "calls a second that are due, whatever the answers do; 0: each connection sends once it is answered")
	flags.DurationVar(&c.Duration, "duration", 10*time.Second, "for how long it is measured")
	flags.DurationVar(&c.Warmup, "warmup", time.Second, "for how long calls are sent before that")
	flags.Uint64Var(&c.First, "first", 0, "number of the first call; those below were sent before, or never")
	flags.Uint64Var(&c.Calls, "calls", 0, "end after so many calls; 0: by time alone")
	flags.BoolVar(&c.Retry, "retry", false, "send again what is answered 429 or 503")
	pids := flags.String("pid", "", "the server's processes, as 12,13: what they use is measured")
	dir := flags.String("data", "", "the server's data directory: its size is measured")
	return &ffcli.Command{
		Name:       "send",
		ShortUsage: "load send [flags]",
		ShortHelp:  "send calls to a running gateway and print what was measured as JSON",
		FlagSet:    flags,
		Exec: func(ctx context.Context, _ []string) error {
			processes, err := numbers(*pids)
			if err != nil {
				return fmt.Errorf("-pid: %w", err)
			}
			if err := mix.Check(); err != nil {
				return err
			}
			c.Progress = func(calls uint64, rate float64) { _, _ = fmt.Fprintf(stderr, "\r%d calls, %.0f/s   ", calls, rate) }
			m, err := measure.Run(ctx, traffic.New(mix), c, measure.Server{PIDs: processes, Dir: *dir})
			_, _ = fmt.Fprintln(stderr)
			if err != nil {
				return err
			}
			if err := encode(stdout, m); err != nil {
				return err
			}
			return m.Complete()
		},
	}
}

func defineMix(flags *flag.FlagSet, mix *traffic.Config) {
	flags.Uint64Var(&mix.Seed, "seed", mix.Seed, "another seed, other calls")
	flags.IntVar(&mix.Users, "users", mix.Users, "how many users there are")
	flags.IntVar(&mix.Accounts, "accounts", mix.Accounts, "how many accounts there are")
	flags.Float64Var(&mix.UserSkew, "user-skew", mix.UserSkew, "exponent of Zipf's law by which calls choose users")
	flags.Float64Var(&mix.AccountSkew, "account-skew", mix.AccountSkew, "exponent of Zipf's law by which users choose accounts")
	flags.DurationVar(&mix.Step, "step", mix.Step, "how far event time goes on from call to call")
	flags.DurationVar(&mix.Span, "span", mix.Span, "after how much event time it begins again")
	flags.IntVar(&mix.VisitCalls, "visit-calls", mix.VisitCalls, "how many calls a visit has; 1 lets each choose its user")
	flags.DurationVar(&mix.Pause, "pause", mix.Pause, "how much event time is between two calls of a visit")
	flags.BoolVar(&mix.Strangers, "strangers", false, "let every call be a session of its own")
	flags.Func("start", "event time of the first call, as 2026-11-01T12:00:00Z (default: 25 minutes ago)", func(text string) (err error) {
		mix.Start, err = time.Parse(time.RFC3339, text)
		return err
	})
}

func numbers(list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, errors.New("it is a list of numbers, as 12,13")
		}
		all = append(all, n)
	}
	return all, nil
}

func encode(to io.Writer, value any) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
