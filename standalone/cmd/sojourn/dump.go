package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/dump"
)

func dumpCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn dump", stderr)
	var stopped directory
	stopped.define(flags)
	var from remote
	from.define(flags, "", "gateway of a sojourn that is running; the admin token is taken from "+adminTokenVariable)
	return &ffcli.Command{
		Name:       "dump",
		ShortUsage: "sojourn dump [-data DIR [-workspaces FILE] | -url URL]",
		ShortHelp:  "print the whole state as lines of JSON, in an order that diff can compare",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			if from.url != "" {
				return from.inRunning(func(b gateway.Backends) error {
					return dump.Write(ctx, dump.Source{Identity: b.Identity, Events: b.Events, Sessions: b.Sessions}, stdout)
				})
			}
			return stopped.dump(ctx, stdout, stderr)
		}),
	}
}

// dump prints what is in the directory, which may be that of one daemon alone, and says what is not.
func (d *directory) dump(ctx context.Context, stdout, stderr io.Writer) error {
	config, err := d.load()
	if d.workspaces == "" && errors.Is(err, fs.ErrNotExist) {
		config, err = &workspace.Config{}, nil
	}
	if err != nil {
		return err
	}
	c := standalone.Config{Dir: d.dir, Workspaces: config, ReadOnly: true, Partial: true}
	return inSuite(ctx, c, func(s *standalone.Suite) error {
		if len(config.Workspaces) == 0 {
			_, _ = fmt.Fprintf(stderr, "sojourn: there is no %s, and -workspaces names none: no settings count\n", d.workspacesPath())
		}
		b := s.Backends()
		from := dump.Source{Identity: b.Identity, Events: b.Events, Sessions: b.Sessions}
		if missing := s.Missing(); len(missing) > 0 {
			_, _ = fmt.Fprintf(stderr, "sojourn: %s has no data of %s\n", d.dir, strings.Join(missing, " and "))
			if from.Workspaces, err = s.Workspaces(); err != nil {
				return err
			}
		}
		return dump.Write(ctx, from, stdout)
	})
}
