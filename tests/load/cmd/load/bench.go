package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/tests/load/internal/bench"
	"github.com/sojournhq/sojourn/tests/load/internal/deploy"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

func benchCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := flag.NewFlagSet("load bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	c := bench.Config{Mix: traffic.Default(1, time.Now()), Progress: stderr}
	defineMix(flags, &c.Mix)
	flags.StringVar(&c.Programs.Dir, "bin", "", "directory of the programs sojourn, gatewayd, identityd, eventsd and sessionsd (required)")
	flags.StringVar(&c.Dir, "dir", os.TempDir(), "where data directories are made: the disk that is measured")
	flags.IntVar(&c.Rounds, "rounds", 3, "how often each server is measured")
	flags.DurationVar(&c.Duration, "duration", 4*time.Second, "for how long each step is measured")
	flags.DurationVar(&c.Warmup, "warmup", time.Second, "for how long calls are sent before that")
	flags.IntVar(&c.Sample, "sample", 40, "of how many accounts the state is compared with what was sent")
	out := flags.String("out", "", "file for all figures as JSON")
	return &ffcli.Command{
		Name:       "bench",
		ShortUsage: "load bench -bin DIR [flags]",
		ShortHelp:  "measure Sojourn beside servers that store nothing, in rounds, and check what it holds afterwards",
		FlagSet:    flags,
		Exec: func(ctx context.Context, _ []string) (err error) {
			if c.Programs.Load, err = os.Executable(); err != nil {
				return err
			}
			if err := complete(c.Programs); err != nil {
				return err
			}
			report, err := bench.Run(ctx, c)
			_, _ = fmt.Fprintln(stderr)
			return errors.Join(err, report.Print(stdout), write(*out, report))
		},
	}
}

// complete returns an error unless all programs are there.
func complete(p deploy.Programs) error {
	if p.Dir == "" {
		return errors.New("-bin is required")
	}
	for _, name := range []string{"sojourn", "gatewayd", "identityd", "eventsd", "sessionsd"} {
		if _, err := os.Stat(filepath.Join(p.Dir, name)); err != nil {
			return fmt.Errorf("-bin: %w", err)
		}
	}
	return nil
}

// write writes a report to a file, if one is named.
func write(path string, report any) error {
	if path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(encode(file, report), file.Close())
}
