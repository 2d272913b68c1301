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
	var c bench.Config
	out := defineBench(flags, stderr, &c)
	flags.IntVar(&c.Rounds, "rounds", 3, "how often each server is measured")
	return &ffcli.Command{
		Name:       "bench",
		ShortUsage: "load bench -bin DIR [flags]",
		ShortHelp:  "measure Sojourn beside servers that store nothing, in rounds, and check what it holds afterwards",
		FlagSet:    flags,
		Exec: func(ctx context.Context, _ []string) (err error) {
			if c.Programs.Load, err = os.Executable(); err != nil {
				return err
			}
			if err := errors.Join(complete(c.Programs), c.Mix.Check()); err != nil {
				return err
			}
			report, err := bench.Run(ctx, c)
			_, _ = fmt.Fprintln(stderr)
			return errors.Join(err, report.Print(stdout), write(*out, report))
		},
	}
}

func growthCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := flag.NewFlagSet("load growth", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var c bench.GrowthConfig
	out := defineBench(flags, stderr, &c.Config)
	flags.Uint64Var(&c.Calls, "calls", 10_000_000, "how many calls fill the store, over 90 days")
	flags.Uint64Var(&c.Live, "live", 1_000_000, "how many sessions run when it is killed")
	flags.IntVar(&c.Kills, "kills", 3, "how often it is killed")
	return &ffcli.Command{
		Name:       "growth",
		ShortUsage: "load growth -bin DIR [flags]",
		ShortHelp:  "fill a Sojourn and measure what a full store costs",
		FlagSet:    flags,
		Exec: func(ctx context.Context, _ []string) error {
			if err := errors.Join(complete(c.Programs), c.Mix.Check()); err != nil {
				return err
			}
			growth, err := bench.Grow(ctx, c)
			_, _ = fmt.Fprintln(stderr)
			return errors.Join(err, growth.Print(stdout), write(*out, growth))
		},
	}
}

// defineBench defines what both kinds of measuring can be told, and returns the file for all figures.
func defineBench(flags *flag.FlagSet, stderr io.Writer, c *bench.Config) (out *string) {
	c.Mix, c.Progress = traffic.Default(1, time.Now()), stderr
	defineMix(flags, &c.Mix)
	flags.StringVar(&c.Programs.Dir, "bin", "", "directory of the programs sojourn, gatewayd, identityd, eventsd and sessionsd (required)")
	flags.StringVar(&c.Dir, "dir", os.TempDir(), "where data directories are made: the disk that is measured")
	flags.DurationVar(&c.Duration, "duration", 4*time.Second, "for how long each step is measured")
	flags.DurationVar(&c.Warmup, "warmup", time.Second, "for how long calls are sent before that")
	flags.IntVar(&c.Sample, "sample", 40, "of how many accounts the state is compared with what was sent")
	return flags.String("out", "", "file for all figures as JSON")
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
