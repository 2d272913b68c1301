package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/peterbourgon/ff/v3/ffcli"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/version"
	"github.com/sojournhq/sojourn/standalone/internal/backup"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

func backupCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn backup", stderr)
	var stopped directory
	stopped.define(flags)
	var from remote
	from.define(flags, "", "gateway of a sojourn that is running; the admin token is taken from "+adminTokenVariable)
	o := backup.Options{Program: version.Get().String()}
	flags.StringVar(&o.Dir, "out", "", "directory of backups; each is a directory in it, named after its time (required)")
	flags.IntVar(&o.Keep, "keep", 0, "how many backups to keep, the newest; 0: all")
	flags.BoolVar(&o.Compress, "compress", true, "compress the files with zstd")
	flags.BoolVar(&o.Incremental, "incremental", false, "store only what is not there yet from others in the directory that were taken so")
	return &ffcli.Command{
		Name:       "backup",
		ShortUsage: "sojourn backup -out DIR [-data DIR [-workspaces FILE] | -url URL] [-incremental] [-keep N] [-compress=false]",
		ShortHelp:  "copy the data files and the workspaces file, also of a sojourn that takes calls meanwhile",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			switch {
			case o.Dir == "":
				return errors.New("-out is required")
			case o.Keep < 0:
				return errors.New("-keep is negative")
			case from.url == "":
				if err := stopped.check(); err != nil {
					return err
				}
				return takeBackup(ctx, backup.Stopped(stopped.dir, stopped.workspacesPath()), o, stdout, stderr)
			}
			return from.withAdmin(func(conn *grpc.ClientConn) error {
				return takeBackup(ctx, backup.Running(conn), o, stdout, stderr)
			})
		}),
	}
}

func takeBackup(ctx context.Context, from backup.Set, o backup.Options, stdout, stderr io.Writer) error {
	dir, m, err := backup.Take(ctx, from, o)
	if dir == "" {
		return err
	}
	for _, f := range m.Files {
		if _, err := fmt.Fprintf(stdout, "%s: %d bytes, stored in %d\n", f.Name, f.Bytes, f.StoredBytes); err != nil {
			return err
		}
	}
	if m.Without != nil {
		_, _ = fmt.Fprintf(stderr, "sojourn: the backup is without keys: %v\n", m.Without)
	}
	_, printErr := fmt.Fprintln(stdout, dir)
	return errors.Join(err, printErr) // a backup that was taken is one, even if older ones could not be removed
}

func restoreCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn restore", stderr)
	var r backup.Restoring
	flags.StringVar(&r.From, "from", "", "directory of a backup, or of backups: then the newest is taken (required)")
	flags.StringVar(&r.Dir, "data", defaultData, "data directory; what uses it must be stopped")
	flags.StringVar(&r.Workspaces, "workspaces", "",
		"where the workspaces file goes, if it is not there yet; "+setup.File+" in -data if not given")
	flags.StringVar(&r.Only, "only", "", "restore one file alone: identity, events, sessions or workspaces")
	flags.BoolVar(&r.Replace, "force", false, "replace data files that are there; with -only workspaces, the workspaces file")
	check := flags.Bool("check", false, "read the backup, or all of the directory, name what is damaged, and restore nothing")
	return &ffcli.Command{
		Name:       "restore",
		ShortUsage: "sojourn restore -from DIR [-data DIR] [-workspaces FILE] [-only KIND] [-force] | -check",
		ShortHelp:  "put the files of a backup into a data directory, keys among them",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			if r.From == "" {
				return errors.New("-from is required")
			}
			if *check {
				return checkBackups(ctx, r.From, stdout)
			}
			return restore(ctx, r, stdout)
		}),
	}
}

func restore(ctx context.Context, r backup.Restoring, stdout io.Writer) (err error) {
	if r.From, err = backup.Find(r.From); err != nil {
		return err
	}
	done, err := backup.Restore(ctx, r)
	for _, f := range done.Files {
		_, printErr := fmt.Fprintf(stdout, "%s: %d bytes as of %s, from %s\n",
			filepath.Join(r.Dir, f.Name), f.Bytes, f.TakenAt.Format("2006-01-02T15:04:05.000Z"), r.From)
		err = errors.Join(err, printErr)
	}
	if err != nil {
		return err
	}
	return sayWorkspaces(done, r.From, stdout)
}

// sayWorkspaces says what became of the workspaces file, and what is to be done about it.
func sayWorkspaces(done backup.Restored, from string, stdout io.Writer) (err error) {
	say := func(format string, args ...any) {
		_, printErr := fmt.Fprintf(stdout, "%s: "+format+"\n", append([]any{done.WorkspacesPath}, args...)...)
		err = errors.Join(err, printErr)
	}
	switch done.Workspaces {
	case backup.NotAsked:
	case backup.Written:
		say("from %s; keys are valid as they were", from)
	case backup.Kept:
		say("was there already, and stays; to replace it with that of a backup: sojourn restore -only workspaces -force")
	case backup.Absent:
		say("is not in the backup, so keys are not either: put the workspaces file that goes with this data there before the start")
	}
	for _, file := range done.SecretFiles {
		say("names %s, which is in no backup: put the shared secret there before the start", file)
	}
	return err
}

func checkBackups(ctx context.Context, dir string, stdout io.Writer) error {
	damaged := 0
	n, err := backup.Check(ctx, dir, func(problem error) {
		damaged++
		_, _ = fmt.Fprintln(stdout, problem) // and the exit code says so too
	})
	if err != nil {
		return err
	}
	if damaged > 0 {
		return fmt.Errorf("of %d backups %d files are damaged", n, damaged)
	}
	_, err = fmt.Fprintf(stdout, "%d backups are sound\n", n)
	return err
}
