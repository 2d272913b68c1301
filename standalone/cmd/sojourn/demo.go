package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/schollz/progressbar/v3"

	"github.com/sojournhq/sojourn/standalone/internal/demo"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

func demoCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn demo", stderr)
	var to remote
	to.define(flags, "http://127.0.0.1:8080", "where sojourn is running")
	dir := flags.String("data", defaultData, "its data directory, to take the first write key from unless "+writeKeyVariable+" is set")
	seed := flags.Uint64("seed", 1, "another seed invents another company")
	return &ffcli.Command{
		Name:       "demo",
		ShortUsage: "sojourn demo [flags]",
		ShortHelp:  "fill a running sojourn with four weeks of an invented company's customers",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			writeKey, err := keyOf(*dir, writeKeyVariable, func(k setup.Keys) string { return k.WriteKey })
			if err != nil {
				return err
			}
			speaker, err := to.client()
			if err != nil {
				return err
			}
			calls := demo.Traffic(*seed, time.Now())
			bar := newBar(len(calls), stderr)
			client := demo.Client{URL: to.url, WriteKey: writeKey, HTTP: speaker}
			sent, err := client.Send(ctx, calls, func(n int) { _ = bar.Set(n) })
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(stdout, "Sent %d calls: %d accepted, copies among them; %d rejected, wrong on purpose.\n",
				len(calls), sent.Accepted, sent.Rejected)
			return err
		}),
	}
}

func newBar(calls int, to io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(calls,
		progressbar.OptionSetWriter(to),
		progressbar.OptionSetDescription("sending calls"),
		progressbar.OptionSetWidth(30),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("calls"),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionOnCompletion(func() { _, _ = fmt.Fprintln(to) }),
	)
}
