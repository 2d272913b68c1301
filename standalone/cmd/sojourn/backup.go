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
)

func backupCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn backup", stderr)
	dir := flags.String("data", defaultData, "data directory of a sojourn that is stopped")
	var from remote
	from.define(flags, "", "gateway of a sojourn that is running; the admin token is taken from "+adminTokenVariable)
	o := backup.Options{Program: version.Get().String()}
	flags.StringVar(&o.Dir, "out", "", "directory of backups; each is a directory in it, named after its time (required)")
	flags.IntVar(&o.Keep, "keep", 0, "how many backups to keep, the newest; 0: all")
	flags.BoolVar(&o.Compress, "compress", true, "compress the files with zstd")
	flags.BoolVar(&o.Incremental, "incremental", false, "store only what is not there yet from others in the directory that were taken so")
	return &ffcli.Command{
		Name:       "backup",
		ShortUsage: "sojourn backup -out DIR [-data DIR | -url URL] [-incremental] [-keep N] [-compress=false]",
		ShortHelp:  "copy the data files, also of a sojourn that takes calls meanwhile",
		FlagSet:    flags,
		Options:    options(),
		Exec: noArguments(func(ctx context.Context) error {
			switch {
			case o.Dir == "":
				return errors.New("-out is required")
			case o.Keep < 0:
				return errors.New("-keep is negative")
			case from.url == "":
				return takeBackup(ctx, backup.Stopped(*dir), o, stdout)
			}
			return from.withAdmin(func(conn *grpc.ClientConn) error {
				return takeBackup(ctx, backup.Running(conn), o, stdout)
			})
		}),
	}
}

func takeBackup(ctx context.Context, from backup.Set, o backup.Options, stdout io.Writer) error {
	dir, m, err := backup.Take(ctx, from, o)
	if dir == "" {
		return err
	}
	for _, f := range m.Files {
		if _, err := fmt.Fprintf(stdout, "%s: %d bytes, stored in %d\n", f.Name, f.Bytes, f.StoredBytes); err != nil {
			return err
		}
	}
	_, printErr := fmt.Fprintln(stdout, dir)
	return errors.Join(err, printErr) // a backup that was taken is one, even if older ones could not be removed
}

func restoreCommand(stdout, stderr io.Writer) *ffcli.Command {
	flags := newFlags("sojourn restore", stderr)
	var r backup.Restoring
	flags.StringVar(&r.From, "from", "", "directory of a backup, or of backups: then the newest is taken (required)")
	flags.StringVar(&r.Dir, "data", defaultData, "data directory; what uses it must be stopped")
	flags.StringVar(&r.Only, "only", "", "restore one file alone: identity, events or sessions")
	flags.BoolVar(&r.Replace, "force", false, "replace data files that are there")
	check := flags.Bool("check", false, "read the backup, or all of the directory, name what is damaged, and restore nothing")
	return &ffcli.Command{
		Name:       "restore",
		ShortUsage: "sojourn restore -from DIR [-data DIR] [-only KIND] [-force] | -check",
		ShortHelp:  "put the files of a backup into a data directory",
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
	files, err := backup.Restore(ctx, r)
	for _, f := range files {
		_, printErr := fmt.Fprintf(stdout, "%s: %d bytes as of %s, from %s\n",
			filepath.Join(r.Dir, f.Name), f.Bytes, f.TakenAt.Format("2006-01-02T15:04:05.000Z"), r.From)
		err = errors.Join(err, printErr)
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
