package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/peterbourgon/ff/v3/ffcli"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	maintenancev1 "github.com/sojournhq/sojourn/proto/sojourn/maintenance/v1"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

func compactCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn compact", stderr)
	dir := flags.String("data", defaultData, "data directory of a sojourn that is stopped")
	var from remote
	from.define(flags, "", "gateway of a sojourn that is running; the admin token is taken from "+adminTokenVariable)
	return &ffcli.Command{
		Name:       "compact",
		ShortUsage: "sojourn compact [-data DIR | -url URL]",
		ShortHelp:  "write the data files anew, without what was deleted, also of a sojourn that takes calls meanwhile",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			if from.url == "" {
				return compact(ctx, *dir, stdout)
			}
			return from.withAdmin(func(conn *grpc.ClientConn) error { return compactRunning(ctx, conn, stdout) })
		}),
	}
}

// compact writes one file after the other anew and prints how large each was and is.
func compact(ctx context.Context, dir string, stdout io.Writer) error {
	if err := boltdb.Unfinished(dir); err != nil {
		return err
	}
	for _, service := range []struct {
		file    string
		compact func() error
	}{
		{identity.File, func() error { return identity.Compact(ctx, identity.Config{Dir: dir}) }},
		{events.File, func() error { return events.Compact(ctx, events.Config{Dir: dir}) }},
		{sessions.File, func() error { return sessions.Compact(ctx, sessions.Config{Dir: dir}) }},
	} {
		before, err := size(dir, service.file)
		if err != nil {
			return err
		}
		if err := service.compact(); err != nil {
			return err
		}
		after, err := size(dir, service.file)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(stdout, "%s: %d bytes, was %d\n", service.file, after, before); err != nil {
			return err
		}
	}
	return nil
}

// compactRunning has one file after the other written anew while it is used, and prints how large each was and is.
func compactRunning(ctx context.Context, conn *grpc.ClientConn, stdout io.Writer) error {
	for _, service := range []struct{ store, file string }{
		{"identity", identity.File}, {"events", events.File}, {"sessions", sessions.File},
	} {
		done, err := maintenancev1.NewMaintenanceServiceClient(conn).Compact(ctx, &maintenancev1.CompactRequest{Store: service.store})
		if err != nil {
			return fmt.Errorf("compact %s: %w", service.file, err)
		}
		if _, err := fmt.Fprintf(stdout, "%s: %d bytes, was %d\n", service.file, done.GetBytesAfter(), done.GetBytesBefore()); err != nil {
			return err
		}
	}
	return nil
}

func size(dir, file string) (int64, error) {
	info, err := os.Stat(filepath.Join(dir, file))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
