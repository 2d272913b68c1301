package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"
	"github.com/schollz/progressbar/v3"

	"github.com/sojournhq/sojourn/standalone/internal/demo"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

func demoCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn demo", stderr)
	url := flags.String("url", "http://127.0.0.1:8080", "where sojourn is running")
	dir := flags.String("data", defaultData, "its data directory, to take the write key from")
	seed := flags.Uint64("seed", 1, "another seed invents another company")
	return &ffcli.Command{
		Name:       "demo",
		ShortUsage: "sojourn demo [flags]",
		ShortHelp:  "fill a running sojourn with four weeks of an invented company's customers",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			config, err := setup.Load(*dir)
			if err != nil {
				return err
			}
			first := config.Workspaces[0]
			if len(first.Sources) == 0 {
				return errors.New("the first workspace has no source to send as")
			}
			calls := demo.Traffic(*seed, time.Now())
			bar := newBar(len(calls), stderr)
			client := demo.Client{URL: *url, WriteKey: first.Sources[0].WriteKeys[0], HTTP: http.DefaultClient}
			sent, err := client.Send(ctx, calls, func(n int) { _ = bar.Set(n) })
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(stdout, "Sent %d calls to workspace %q: %d accepted, copies among them; %d rejected, wrong on purpose.\n",
				len(calls), first.ID, sent.Accepted, sent.Rejected)
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
